using System.Globalization;
using Deployer.Core.Deployments;
using Deployer.Core.Logs;
using Deployer.Web.Features.Console;
using NodaTime;

namespace Deployer.Web.Features.Deployments;

/// <summary>Makes the logs of deployments ready for a console.</summary>
internal sealed class DeploymentLogs(LogStore logs, LogFollower follower, LogFinder finder, LogSieve sieve)
{
    /// <summary>The log of a deployment; opened at its end unless the deployment succeeded.</summary>
    public DeploymentLogSource Open(DeploymentView deployment) => new(deployment, logs, follower, finder, sieve);
}

/// <summary>The log of a deployment, as a console shows it.</summary>
internal sealed class DeploymentLogSource(
    DeploymentView deployment, LogStore logs, LogFollower follower, LogFinder finder, LogSieve sieve) : IConsoleSource, IStoredLog
{
    private const int FewLines = 20;
    private const int ManyLines = 1_000;

    private readonly long _id = deployment.Id;

    /// <inheritdoc/>
    public string Label { get; } = $"Log of {deployment.App} #{deployment.Number}";

    /// <inheritdoc/>
    public string FileName { get; } = $"{deployment.App}-{deployment.Number}.log";

    /// <inheritdoc/>
    public bool OpenAtEnd { get; } = deployment.Status != DeploymentStatus.Succeeded;

    /// <inheritdoc/>
    public Instant StartedAt { get; } = deployment.StartedAt ?? deployment.CreatedAt;

    /// <inheritdoc/>
    public string Nothing => "This deployment wrote no lines.";

    /// <inheritdoc/>
    public IStoredLog Stored => this;

    /// <inheritdoc/>
    public string Address { get; } = string.Create(CultureInfo.InvariantCulture, $"/api/deployments/{deployment.Id}/logs");

    /// <inheritdoc/>
    public IAsyncEnumerable<LogGrowth> FollowAsync(CancellationToken cancellationToken) => follower.FollowAsync(_id, cancellationToken);

    /// <inheritdoc/>
    public Task<FoundLine?> FindAsync(LogQuery query, long from, bool backwards, CancellationToken cancellationToken) =>
        finder.FindAsync(_id, query, from, backwards, cancellationToken);

    /// <inheritdoc/>
    public Task<long?> FindErrorAsync(LineFilter filter, long from, bool backwards, CancellationToken cancellationToken) =>
        finder.FindErrorAsync(_id, filter, from, backwards, cancellationToken);

    // By time, because that is quick in a log of any length; but lines of the step before may still have been on their way
    // into the store when this one began.
    /// <inheritdoc/>
    public async Task<long?> FindFirstLineAsync(LogSection section, CancellationToken cancellationToken)
    {
        var step = LineFilter.Parse(stream: null, section.Key).Step;
        var after = section.StartedAt - Duration.FromNanoseconds(1);
        for (var limit = FewLines; await logs.GetLogsAfter(_id, after, limit, cancellationToken) is { Lines.Count: > 0 } page; limit = ManyLines)
        {
            if (page.Lines.FirstOrDefault(line => line.Step >= step) is { } first)
            {
                return first.Line;
            }

            after = page.NextAfter!.Value;
        }

        return null;
    }

    /// <inheritdoc/>
    public IAsyncEnumerable<FilteredLines> FollowFilteredAsync(LineFilter filter, CancellationToken cancellationToken) =>
        sieve.FollowAsync(_id, filter, cancellationToken);
}
