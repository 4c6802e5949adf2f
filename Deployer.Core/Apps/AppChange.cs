namespace Deployer.Core.Apps;

/// <summary>What became of adding or changing an app.</summary>
public abstract record AppChange
{
    private AppChange()
    {
    }

    /// <summary>It was saved.</summary>
    /// <param name="App">The app as it is now.</param>
    public sealed record Saved(AppView App) : AppChange;

    /// <summary>Nothing was saved: the draft is wrong.</summary>
    /// <param name="Errors">Messages by field path as in the JSON, e.g. <c>ports[0].container</c>.</param>
    public sealed record Invalid(IReadOnlyDictionary<string, string[]> Errors) : AppChange;

    /// <summary>Nothing was saved: another app has that name.</summary>
    /// <param name="Name">The name.</param>
    public sealed record NameTaken(string Name) : AppChange;

    /// <summary>There is no app of that name to change.</summary>
    /// <param name="Name">The name.</param>
    public sealed record Unknown(string Name) : AppChange;
}

/// <summary>What became of removing an app.</summary>
public abstract record AppRemoval
{
    private AppRemoval()
    {
    }

    /// <summary>The app, its containers, its deployments and their logs are gone.</summary>
    public sealed record Removed : AppRemoval;

    /// <summary>There is no app of that name.</summary>
    /// <param name="Name">The name.</param>
    public sealed record Unknown(string Name) : AppRemoval;

    /// <summary>Nothing was removed: a deployment of the app is queued or running; cancel it first.</summary>
    /// <param name="DeploymentId">That deployment.</param>
    public sealed record Busy(long DeploymentId) : AppRemoval;
}
