using System.Text.RegularExpressions;
using Deployer.Core.Engine;

namespace Deployer.Core.Apps;

/// <summary>A checked app, ready to be stored.</summary>
/// <param name="Name">Name.</param>
/// <param name="Environment">Environment.</param>
/// <param name="Spec">Spec.</param>
public sealed record CheckedApp(string Name, string Environment, AppSpec Spec);

/// <summary>What checking a draft found.</summary>
/// <param name="App">The app; <see langword="null"/> when there are errors.</param>
/// <param name="Errors">Messages by field path as in the JSON, e.g. <c>ports[0].container</c>, <c>env.KEY</c>.</param>
public sealed record AppCheck(CheckedApp? App, IReadOnlyDictionary<string, string[]> Errors);

/// <summary>The rules for every field of an app. The API and the form ask the same.</summary>
public static partial class AppValidation
{
    /// <summary>Environment of an app that names none.</summary>
    public const string DefaultEnvironment = "production";

    /// <summary>The least memory a Docker engine lets a container have, in mebibytes.</summary>
    public const int MinMemoryMb = 6;

    /// <summary>Prefix of the labels that Deployer itself puts on containers.</summary>
    public const string ReservedLabelPrefix = "deployer.";

    private const int MaxMemoryMb = 16 * 1024 * 1024;
    private const int MaxCpus = 1024;
    private const int MaxEntries = 200;
    private const int MaxKeyLength = 256;
    private const int MaxValueLength = 32 * 1024;
    private const int MaxPathLength = 1024;
    private const int MaxHealthSeconds = 3600;
    private const int MaxHealthRetries = 100;
    private const int MaxStopGraceSeconds = 3600;

    /// <summary>Checks a draft of a new app.</summary>
    public static AppCheck Check(AppDraft draft)
    {
        var errors = new FieldErrors();
        var name = CheckName(draft.Name, errors);
        return Finish(name, draft, errors);
    }

    /// <summary>Checks a draft for an existing app: its name may be left out, but not changed.</summary>
    public static AppCheck CheckChange(string name, AppDraft draft)
    {
        var errors = new FieldErrors();
        if (draft.Name is { } other && other != name)
        {
            errors.Add("name", $"An app's name does not change; leave the field out or write '{name}'. For another name, add another app.");
        }

        return Finish(name, draft, errors);
    }

    private static AppCheck Finish(string name, AppDraft draft, FieldErrors errors)
    {
        var environment = draft.Environment is null ? DefaultEnvironment : draft.Environment.Trim();
        if (!DnsLabel().IsMatch(environment))
        {
            errors.Add("environment", $"'{FieldErrors.Show(environment)}' is no environment name. {DnsLabelRule}");
        }

        var env = CheckEnv(draft.Env, errors);
        var spec = new AppSpec
        {
            Image = CheckImage(draft.Image, errors),
            Command = CheckCommand(draft.Command, errors),
            Env = env,
            Secrets = CheckSecrets(draft.Secrets, env, errors),
            Ports = CheckPorts(draft.Ports, errors),
            Volumes = CheckVolumes(draft.Volumes, errors),
            Networks = CheckNetworks(draft.Networks, errors),
            Health = CheckHealth(draft.Health, errors),
            Hosts = CheckHosts(draft.Hosts, errors),
            MemoryMb = errors.Within("memory_mb", draft.MemoryMb, MinMemoryMb, MaxMemoryMb, "The memory limit in MB"),
            Cpus = CheckCpus(draft.Cpus, errors),
            Restart = draft.Restart ?? RestartMode.UnlessStopped,
            StopGraceSeconds = errors.Within("stop_grace_seconds", draft.StopGraceSeconds, 0, MaxStopGraceSeconds, "The stop grace in seconds") ?? 10,
            WhenQueued = draft.WhenQueued ?? QueuePolicy.Queue,
            Labels = CheckLabels(draft.Labels, errors),
            User = CheckUser(draft.User, errors),
            ReadOnlyRoot = draft.ReadOnlyRoot ?? false,
        };
        return errors.Any ? new AppCheck(null, errors.ToDictionary()) : new AppCheck(new CheckedApp(name, environment, spec), errors.ToDictionary());
    }

    /// <summary>Whether a text can name an environment or an app: a DNS label.</summary>
    public static bool IsLabel(string text) => DnsLabel().IsMatch(text);

    /// <summary>What a DNS label is, as a sentence for people.</summary>
    internal const string DnsLabelRule =
        "It has 1 to 63 lower-case letters, digits and hyphens, and begins and ends with a letter or a digit, e.g. web-shop.";

    private static string CheckName(string? name, FieldErrors errors)
    {
        var trimmed = name?.Trim() ?? "";
        if (trimmed.Length == 0)
        {
            errors.Add("name", $"The name is missing. {DnsLabelRule}");
        }
        else if (!DnsLabel().IsMatch(trimmed))
        {
            errors.Add("name", $"'{FieldErrors.Show(trimmed)}' cannot be an app's name. {DnsLabelRule}");
        }

        return trimmed;
    }

    private static string CheckImage(string? image, FieldErrors errors)
    {
        var trimmed = image?.Trim() ?? "";
        if (!ImageReference.TryParse(trimmed, out _, out var error))
        {
            errors.Add("image", error.Message);
        }

        return trimmed;
    }

    private static IReadOnlyList<string> CheckCommand(IReadOnlyList<string?>? command, FieldErrors errors) =>
        errors.Each("command", command, MaxEntries, (argument, path) =>
        {
            if (argument is null || argument.Contains('\0', StringComparison.Ordinal) || argument.Length > MaxValueLength)
            {
                errors.Add(path, $"An argument is a text without NUL characters, at most {MaxValueLength} long.");
            }

            return argument ?? "";
        });

    private static IReadOnlyDictionary<string, string> CheckEnv(IReadOnlyDictionary<string, string?>? env, FieldErrors errors) =>
        errors.EachPair("env", env, MaxEntries, (key, value, path) =>
        {
            CheckVariableName(key, path, errors);
            errors.CheckValue(path, value, MaxValueLength);
        });

    private static IReadOnlyList<string> CheckSecrets(
        IReadOnlyList<string?>? secrets, IReadOnlyDictionary<string, string> env, FieldErrors errors)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        return errors.Each("secrets", secrets, MaxEntries, (name, path) =>
        {
            CheckVariableName(name ?? "", path, errors);
            if (name is not null && !seen.Add(name))
            {
                errors.Add(path, $"'{FieldErrors.Show(name)}' is named twice.");
            }

            if (name is not null && env.ContainsKey(name))
            {
                errors.Add(path, $"'{FieldErrors.Show(name)}' is in env too, where its value would be in the clear; remove it from one of them.");
            }

            return name ?? "";
        });
    }

    /// <summary>Whether a text can name an environment variable.</summary>
    public static bool IsVariableName(string name) => name.Length <= MaxKeyLength && VariableName().IsMatch(name);

    private static void CheckVariableName(string name, string path, FieldErrors errors)
    {
        if (!IsVariableName(name))
        {
            errors.Add(path, $"'{FieldErrors.Show(name)}' cannot name an environment variable; it has letters, digits, _ . and -, and begins with a letter or _.");
        }
    }

    private static IReadOnlyList<PortSpec> CheckPorts(IReadOnlyList<PortDraft?>? ports, FieldErrors errors)
    {
        var containers = new HashSet<int>();
        var hosts = new HashSet<int>();
        return errors.Each("ports", ports, MaxEntries, (port, path) =>
        {
            var container = errors.Within($"{path}.container", port?.Container, 1, 65535, "The container port");
            var host = errors.Within($"{path}.host", port?.Host, 0, 65535, "The host port (0 for any free one)");
            if (port?.Container is null)
            {
                errors.Add($"{path}.container", "The container port is missing; it is a number from 1 to 65535.");
            }

            if (container is { } number && !containers.Add(number))
            {
                errors.Add($"{path}.container", $"Container port {number} is listed twice.");
            }

            if (host is > 0 && !hosts.Add(host.Value))
            {
                errors.Add($"{path}.host", $"Host port {host} is listed twice; a host port leads to one container port.");
            }

            return new PortSpec(container ?? 0, host);
        });
    }

    private static IReadOnlyList<VolumeSpec> CheckVolumes(IReadOnlyList<VolumeDraft?>? volumes, FieldErrors errors)
    {
        var paths = new HashSet<string>(StringComparer.Ordinal);
        return errors.Each("volumes", volumes, MaxEntries, (volume, path) =>
        {
            var name = volume?.Name?.Trim() ?? "";
            var mount = volume?.Path?.Trim() ?? "";
            if (!EngineName().IsMatch(name))
            {
                errors.Add($"{path}.name", $"'{FieldErrors.Show(name)}' cannot name a volume; it has letters, digits, _ . and -, begins with a letter or digit, and is 2 to 128 long.");
            }

            if (!IsMountPoint(mount))
            {
                errors.Add($"{path}.path", $"'{FieldErrors.Show(mount)}' is no mount point; it is an absolute path below /, without '..', ':' and control characters, e.g. /var/lib/data.");
            }
            else if (!paths.Add(mount.TrimEnd('/')))
            {
                errors.Add($"{path}.path", $"Two volumes are mounted at '{FieldErrors.Show(mount)}'.");
            }

            return new VolumeSpec(name, mount);
        });
    }

    private static bool IsMountPoint(string path) =>
        path.Length <= MaxPathLength && path.StartsWith('/') && path.Trim('/').Length > 0
        && !path.Contains(':', StringComparison.Ordinal) && !path.Any(char.IsControl)
        && !path.Split('/').Any(part => part is "." or "..");

    private static IReadOnlyList<string> CheckNetworks(IReadOnlyList<string?>? networks, FieldErrors errors)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        return errors.Each("networks", networks, MaxEntries, (network, path) =>
        {
            var name = network?.Trim() ?? "";
            if (name is "host" or "none" or "default" || !EngineName().IsMatch(name))
            {
                errors.Add(path, $"'{FieldErrors.Show(name)}' cannot be joined; write the name of one of the engine's own bridge or overlay networks.");
            }
            else if (!seen.Add(name))
            {
                errors.Add(path, $"'{FieldErrors.Show(name)}' is listed twice.");
            }

            return name;
        });
    }

    private static HealthSpec? CheckHealth(HealthDraft? health, FieldErrors errors)
    {
        if (health is null)
        {
            return null;
        }

        var path = string.IsNullOrWhiteSpace(health.Path) ? "/" : health.Path.Trim();
        if (!path.StartsWith('/') || path.Length > MaxPathLength || path.Any(c => c is <= ' ' or > '~' or '#'))
        {
            errors.Add("health.path", $"'{FieldErrors.Show(path)}' cannot be asked for; it is an absolute path such as /healthz, without spaces, '#' and letters that need escaping.");
        }

        if (health.Port is null)
        {
            errors.Add("health.port", "The port to ask is missing; it is a container port from 1 to 65535.");
        }

        return new HealthSpec(
            path,
            errors.Within("health.port", health.Port, 1, 65535, "The port to ask") ?? 0,
            errors.Within("health.interval_seconds", health.IntervalSeconds, 1, MaxHealthSeconds, "The interval in seconds") ?? 5,
            errors.Within("health.timeout_seconds", health.TimeoutSeconds, 1, MaxHealthSeconds, "The timeout in seconds") ?? 5,
            errors.Within("health.retries", health.Retries, 1, MaxHealthRetries, "The number of retries") ?? 3);
    }

    private static IReadOnlyList<string> CheckHosts(IReadOnlyList<string?>? hosts, FieldErrors errors)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        return errors.Each("hosts", hosts, MaxEntries, (host, path) =>
        {
            var name = host?.Trim().ToLowerInvariant() ?? "";
            if (name.Length > 253 || !HostName().IsMatch(name))
            {
                errors.Add(path, $"'{FieldErrors.Show(name)}' is no host name; write e.g. app.example.com, without scheme, port and path.");
            }
            else if (!seen.Add(name))
            {
                errors.Add(path, $"'{FieldErrors.Show(name)}' is listed twice.");
            }

            return name;
        });
    }

    private static double? CheckCpus(double? cpus, FieldErrors errors)
    {
        if (cpus is { } cores && !(cores is >= 0.01 and <= MaxCpus))
        {
            errors.Add("cpus", $"The CPU limit is a number of cores from 0.01 to {MaxCpus}, e.g. 0.5.");
        }

        return cpus;
    }

    private static IReadOnlyDictionary<string, string> CheckLabels(IReadOnlyDictionary<string, string?>? labels, FieldErrors errors) =>
        errors.EachPair("labels", labels, MaxEntries, (key, value, path) =>
        {
            if (key.Length > MaxKeyLength || !LabelName().IsMatch(key))
            {
                errors.Add(path, $"'{FieldErrors.Show(key)}' cannot name a label; it has letters, digits, . _ - and /, and begins and ends with a letter or a digit.");
            }
            else if (key.StartsWith(ReservedLabelPrefix, StringComparison.Ordinal))
            {
                errors.Add(path, $"Labels that begin with '{ReservedLabelPrefix}' are Deployer's own; choose another name.");
            }

            errors.CheckValue(path, value, MaxValueLength);
        });

    private static string? CheckUser(string? user, FieldErrors errors)
    {
        var trimmed = user?.Trim();
        if (string.IsNullOrEmpty(trimmed))
        {
            return null;
        }

        if (!UserName().IsMatch(trimmed))
        {
            errors.Add("user", $"'{FieldErrors.Show(trimmed)}' is no user; write a name or number, with a group if needed, e.g. 1000:1000.");
        }

        return trimmed;
    }

    // \z, not $: the latter would let a line end through.
    [GeneratedRegex(@"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\z", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex DnsLabel();

    [GeneratedRegex(@"^[A-Za-z_][A-Za-z0-9_.-]*\z", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex VariableName();

    [GeneratedRegex(@"^[A-Za-z0-9][A-Za-z0-9_.-]{1,127}\z", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex EngineName();

    [GeneratedRegex(@"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*\z", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex HostName();

    [GeneratedRegex(@"^[A-Za-z0-9]([A-Za-z0-9._/-]*[A-Za-z0-9])?\z", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex LabelName();

    [GeneratedRegex(@"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,63})?\z", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex UserName();
}
