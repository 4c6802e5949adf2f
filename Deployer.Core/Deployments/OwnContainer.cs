using System.Text.RegularExpressions;

namespace Deployer.Core.Deployments;

/// <summary>The container in which this Deployer itself runs, if it does: to replace it would end the deployment half-way.</summary>
internal sealed partial class OwnContainer
{
    private OwnContainer(string? id) => Id = id;

    /// <summary>Its full id; <see langword="null"/> outside of a container.</summary>
    public string? Id { get; }

    /// <summary>Looks at this process's mounts, where an engine mounts files from a directory of the container's name.</summary>
    public static OwnContainer Detect() => Read("/proc/self/mountinfo");

    /// <summary>The same from a file.</summary>
    public static OwnContainer Read(string mountInfoPath) =>
        File.Exists(mountInfoPath) && ContainerMount().Match(File.ReadAllText(mountInfoPath)) is { Success: true } match
            ? new OwnContainer(match.Groups["id"].Value)
            : new OwnContainer(null);

    // 721 700 254:1 /var/lib/docker/containers/3f4e…64 digits…9a/hostname /etc/hostname rw,relatime - ext4 /dev/vda1 rw
    [GeneratedRegex(@"/containers/(?<id>[0-9a-f]{64})/hostname /etc/hostname ", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex ContainerMount();
}
