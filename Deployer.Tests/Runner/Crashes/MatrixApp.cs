namespace Deployer.Tests.Runner.Crashes;

/// <summary>An app of the kill matrix, and how far it has come.</summary>
internal sealed class MatrixApp(KillPoint point)
{
    public KillPoint Point => point;

    /// <summary>Its newest deployment.</summary>
    public long Id { get; set; }

    public int Number { get; set; }

    /// <summary>What the newest deployment is to answer.</summary>
    public string Version { get; set; } = "";

    /// <summary>What the one before answers.</summary>
    public string Before { get; set; } = "";

    /// <summary>Number of the deployment that served before the newest.</summary>
    public int Serving { get; set; }

    public string ServingContainer { get; set; } = "";

    /// <summary>The call that is held.</summary>
    public Hold? Hold { get; set; }

    /// <summary>The request that the drain waits for.</summary>
    public Task Request { get; set; } = Task.CompletedTask;

    /// <summary>Ends that request.</summary>
    public CancellationTokenSource GiveUp { get; set; } = new();
}
