using Deployer.Core.Apps;

namespace Deployer.Core.Deployments;

/// <summary>How a new container takes over from the old one.</summary>
public static class TakeOver
{
    /// <summary>
    /// Why the old container of an app must stop before the new one may start; <see langword="null"/> when both may run
    /// side by side and the change-over goes without downtime.
    /// </summary>
    public static string? WhyStopFirst(AppSpec spec)
    {
        if (spec.Ports.FirstOrDefault(port => port.Host > 0) is { } port)
        {
            return $"only one container can hold host port {port.Host}";
        }

        return spec.Volumes.Count > 0 ? $"only one container may write to volume {spec.Volumes[0].Name}" : null;
    }
}
