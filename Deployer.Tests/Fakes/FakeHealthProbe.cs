using Deployer.Core.Deployments;

namespace Deployer.Tests.Fakes;

/// <summary>Answers probes as a test says; healthy unless told otherwise.</summary>
internal sealed class FakeHealthProbe : IHealthProbe
{
    private readonly Queue<ProbeResult> _answers = new();

    /// <summary>Addresses that were asked.</summary>
    public List<Uri> Asked { get; } = [];

    /// <summary>Answer when no other is queued.</summary>
    public ProbeResult Otherwise { get; set; } = new(true, true, "200 OK");

    /// <summary>Queues an answer.</summary>
    public void Answer(ProbeResult result) => _answers.Enqueue(result);

    public Task<ProbeResult> ProbeAsync(Uri address, TimeSpan timeout, CancellationToken cancellationToken)
    {
        Asked.Add(address);
        return Task.FromResult(_answers.TryDequeue(out var result) ? result : Otherwise);
    }
}
