namespace Deployer.Core.Routing;

/// <summary>
/// Counts the changes to the routes. The only row of <c>route_clock</c>; raised in the transaction of each change, so a
/// proxy that has applied version N has seen every change up to N.
/// </summary>
internal sealed class RouteClock
{
    public const int OnlyId = 1;

    public int Id { get; init; }

    public long Version { get; init; }
}
