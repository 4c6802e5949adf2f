using Deployer.Core.Engine;
using Deployer.Core.Registries;
using Microsoft.Extensions.Logging;

namespace Deployer.Core.Deployments;

/// <summary>
/// Makes a failure's remedy concrete by looking: who holds the port, which tags there are, whose credentials were refused,
/// what can be removed from a full disk.
/// </summary>
internal sealed partial class FailureAdvisor(
    IContainerEngine engine, RegistryClient registries, TimeProvider time, ILogger<FailureAdvisor> logger)
{
    private const int MaxTags = 5;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(6);

    /// <summary>The failure with the best remedy that can be had in a few seconds; as it is where nothing better is found.</summary>
    public async Task<DeploymentFailure> AdviseAsync(DeploymentFailure failure, DeploymentRun run, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(Limit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            var remedy = failure.Code switch
            {
                FailureCode.PortInUse => await FindHolderAsync(run, either.Token),
                FailureCode.ImageNotFound => await FindTagsAsync(run, either.Token),
                FailureCode.AccessDenied => WhoseCredentials(run),
                FailureCode.DiskFull => await FindRoomAsync(either.Token),
                _ => null,
            };
            return remedy is null ? failure : failure with { Remedy = remedy };
        }
        catch (Exception exception) when (exception is EngineException || limit.IsCancellationRequested)
        {
            LogNoAdvice(exception, run.Id);
            return failure;
        }
    }

    /// <summary>Of some tags those most like the one sought, the likest first.</summary>
    internal static IReadOnlyList<string> Near(string sought, IReadOnlyList<string> tags) =>
        [.. tags.Select(tag => (Tag: tag, Distance: Distance(sought, tag)))
            .OrderBy(pair => pair.Distance)
            .ThenByDescending(pair => pair.Tag, StringComparer.Ordinal)
            .Take(MaxTags)
            .Select(pair => pair.Tag)];

    private async Task<string?> FindHolderAsync(DeploymentRun run, CancellationToken cancellationToken)
    {
        var wanted = run.Spec.Ports.Where(port => port.Host > 0).Select(port => port.Host!.Value).ToHashSet();
        var none = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var container in await engine.ListContainersAsync(none, cancellationToken))
        {
            if (container.Id != run.ContainerId && container.Ports.Values.FirstOrDefault(wanted.Contains) is var port and > 0)
            {
                var owner = container.Labels.TryGetValue(ContainerNames.AppLabel, out var app) ? $" of the app {app}" : "";
                return $"The container {container.Name}{owner} holds host port {port}: stop it, or give this app another host port.";
            }
        }

        return wanted.Count == 0
            ? null
            : $"No container of this engine holds {string.Join(" or ", wanted)}, so another program on its machine does: stop that, or give this app another host port.";
    }

    private async Task<string?> FindTagsAsync(DeploymentRun run, CancellationToken cancellationToken)
    {
        if (run.Image.Tag is not { } sought
            || await registries.ListTagsAsync(run.Image, run.Secrets.Credentials, cancellationToken) is not { Count: > 0 } tags)
        {
            return null;
        }

        return tags.Contains(sought, StringComparer.Ordinal)
            ? null
            : $"{run.Image.Repository} has no tag {sought}; near it are {string.Join(", ", Near(sought, tags))}.";
    }

    private static string WhoseCredentials(DeploymentRun run) => run.Secrets.Credentials is { } credentials
        ? $"{run.Image.Domain} was asked as {credentials.UserName}: correct the password stored for it, or let {credentials.UserName} pull {run.Image.Path}."
        : $"No credentials are stored for {run.Image.Domain}: store them with PUT /api/registries/{run.Image.Domain}.";

    private async Task<string?> FindRoomAsync(CancellationToken cancellationToken)
    {
        var unused = await engine.FindUnusedImagesAsync(cancellationToken);
        return unused.Count == 0
            ? null
            : unused.Count == 1
                ? $"One image that no container uses takes up to {unused.Bytes / 1e6:0} MB on the engine's disk: remove it if it is not needed (docker image prune --all), and deploy again."
                : $"{unused.Count} images that no container uses take up to {unused.Bytes / 1e6:0} MB on the engine's disk: remove those that are not needed (docker image prune --all), and deploy again.";
    }

    // Levenshtein's distance: single-character edits that lead from one text to the other.
    private static int Distance(string one, string other)
    {
        var row = Enumerable.Range(0, other.Length + 1).ToArray();
        for (var i = 1; i <= one.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= other.Length; j++)
            {
                var above = row[j];
                row[j] = Math.Min(Math.Min(row[j] + 1, row[j - 1] + 1), diagonal + (one[i - 1] == other[j - 1] ? 0 : 1));
                diagonal = above;
            }
        }

        return row[other.Length];
    }

    [LoggerMessage(LogLevel.Debug, "Deployment {DeploymentId}: nothing better to advise")]
    private partial void LogNoAdvice(Exception exception, long deploymentId);
}
