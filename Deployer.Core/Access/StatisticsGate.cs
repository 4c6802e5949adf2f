using Deployer.Core.Statistics;

namespace Deployer.Core.Access;

/// <summary>What <see cref="StatisticsReader"/> counts, narrowed to the apps that the caller may see.</summary>
public sealed class StatisticsGate(StatisticsReader reader, AppGate apps)
{
    /// <summary>Counts the deployments of the apps that the caller may see.</summary>
    /// <param name="query">The range; its apps are those asked for, <see langword="null"/> for every one.</param>
    /// <param name="environment">Only apps of this environment; <see langword="null"/> for every one.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    public async Task<DeploymentStatistics> ReadAsync(StatisticsQuery query, string? environment, CancellationToken cancellationToken)
    {
        var visible = (await apps.ListAsync(cancellationToken))
            .Where(app => (environment is null || string.Equals(app.Environment, environment, StringComparison.Ordinal))
                && (query.Apps is null || query.Apps.Contains(app.Name, StringComparer.Ordinal)))
            .Select(app => app.Name).ToList();
        return await reader.ReadAsync(query with { Apps = visible }, cancellationToken);
    }
}
