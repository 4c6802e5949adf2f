using System.Globalization;
using Deployer.Core.Data;
using Deployer.Core.Engine;
using Deployer.Core.Registries;
using Deployer.Core.Routing;
using Deployer.Core.Secrets;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using NodaTime;

namespace Deployer.Core.Diagnostics;

/// <summary>Looks at every part that an installation needs and says what to do about those that are not well.</summary>
internal sealed class Doctor(
    IDbContextFactory<DeployerDb> databases, IContainerEngine engine, RegistryBook registries, SecretVault vault, ProxyRegister proxies,
    IOptions<DataOptions> data, TimeProvider time)
{
    private const long Mebibyte = 1024 * 1024;
    private const long LeastMebibytes = 100;
    private const long EnoughMebibytes = 1024;

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);
    private static readonly Duration ClockSlack = Duration.FromSeconds(5);

    /// <summary>Looks at everything, at most ten seconds at each part. Raises nothing but a cancel.</summary>
    public async Task<IReadOnlyList<Finding>> LookAsync(CancellationToken cancellationToken)
    {
        var looks = new List<Task<Finding>>
        {
            LookAsync("database", LookAtDatabaseAsync, cancellationToken),
            LookAsync("engine", LookAtEngineAsync, cancellationToken),
            LookAsync("disk", _ => Task.FromResult(LookAtDisk()), cancellationToken),
            LookAsync("clock", LookAtClockAsync, cancellationToken),
            LookAsync("keys", LookAtKeysAsync, cancellationToken),
            LookAsync("proxy", LookAtProxyAsync, cancellationToken),
        };
        foreach (var registry in await ListRegistriesAsync(cancellationToken))
        {
            var part = $"registry {registry.Host}";
            looks.Add(LookAsync(part, token => LookAtRegistryAsync(part, registry.Host, token), cancellationToken));
        }

        return await Task.WhenAll(looks);
    }

    private async Task<Finding> LookAsync(string part, Func<CancellationToken, Task<Finding>> look, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(Limit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            return await look(either.Token).WaitAsync(either.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new Finding(part, FindingState.Failed, $"No answer within {Limit.TotalSeconds:0} seconds.", "See to the machine's load and network, then look again.");
        }
        catch (Exception exception) when (DatabaseFault.Explain(exception) is { } fault)
        {
            return new Finding(part, FindingState.Failed, "It cannot be looked at while the database does not answer.", fault);
        }
    }

    private async Task<Finding> LookAtDatabaseAsync(CancellationToken cancellationToken)
    {
        try
        {
            await using var db = await databases.CreateDbContextAsync(cancellationToken);
            await db.Database.OpenConnectionAsync(cancellationToken);
            await using var command = db.Database.GetDbConnection().CreateCommand();
            command.CommandText = "PRAGMA quick_check(1)";
            return await command.ExecuteScalarAsync(cancellationToken) is "ok"
                ? new Finding("database", FindingState.Ok, "It answers and is sound.", null)
                : new Finding("database", FindingState.Failed, "Its file is damaged.", "Stop Deployer and restore the database of Data:Directory from a backup.");
        }
        catch (SqliteException exception)
        {
            return new Finding("database", FindingState.Failed, "It does not answer.", DatabaseFault.Explain(exception));
        }
    }

    private async Task<Finding> LookAtEngineAsync(CancellationToken cancellationToken)
    {
        try
        {
            var info = await engine.DescribeAsync(cancellationToken);
            return new Finding(
                "engine", FindingState.Ok,
                $"Version {info.Version} ({info.OperatingSystem}/{info.Architecture}) answers at {engine.Endpoint}; containers running: {info.ContainersRunning}.", null);
        }
        catch (EngineException exception)
        {
            return new Finding("engine", FindingState.Failed, exception.Message, "Start it, see that Deployer's user may use its socket, or set Engine:Endpoint.");
        }
    }

    private Finding LookAtDisk()
    {
        var free = new DriveInfo(data.Value.Directory).AvailableFreeSpace / Mebibyte;
        var (size, unit) = free < 10 * 1024 ? (free, "MiB") : (free / 1024, "GiB");
        var found = string.Create(CultureInfo.InvariantCulture, $"{size:N0} {unit} are free for Data:Directory.");
        return free switch
        {
            < LeastMebibytes => new Finding("disk", FindingState.Failed, found, "Make room now: logs cannot be kept. Lower Logs:Retention:MaxTotalMegabytes, or remove unused images."),
            < EnoughMebibytes => new Finding("disk", FindingState.Warning, found, "Make room soon. Lower Logs:Retention:MaxTotalMegabytes, or remove unused images."),
            _ => new Finding("disk", FindingState.Ok, found, null),
        };
    }

    /// <summary>Whether the clock stands before something that has happened already.</summary>
    private async Task<Finding> LookAtClockAsync(CancellationToken cancellationToken)
    {
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        var last = await db.Deployments.MaxAsync(deployment => (Instant?)deployment.CreatedAt, cancellationToken);
        var now = time.Now();
        return last > now + ClockSlack
            ? new Finding(
                "clock", FindingState.Warning, $"It shows {Shown(now)}, but a deployment was queued at {Shown(last.Value)}.",
                "Let the machine's clock be set by NTP. Logs stay in order; ages and freezes are wrong until then.")
            : new Finding("clock", FindingState.Ok, $"It shows {Shown(now)}, and nothing is from later.", null);
    }

    private static string Shown(Instant time) => time.ToString("uuuu-MM-dd HH:mm:ss 'UTC'", CultureInfo.InvariantCulture);

    private async Task<Finding> LookAtKeysAsync(CancellationToken cancellationToken)
    {
        const string Purpose = "doctor";
        try
        {
            if (vault.Open(Purpose, vault.Seal(Purpose, "word")) != "word")
            {
                return Lost();
            }

            foreach (var registry in await registries.ListAsync(cancellationToken))
            {
                await registries.FindAsync(registry.Host, cancellationToken);
            }
        }
        catch (SecretUnreadableException)
        {
            return Lost();
        }

        var directory = new DirectoryInfo(Path.Combine(data.Value.Directory, SecretsRegistration.KeyDirectory));
        const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;
        var open = OperatingSystem.IsWindows() || !directory.Exists ? null : directory.EnumerateFiles("*.xml").FirstOrDefault(file => (file.UnixFileMode & Others) != UnixFileMode.None);
        return open is null
            ? new Finding("keys", FindingState.Ok, "What is stored encrypted can be read, and nobody else may read the keys.", null)
            : new Finding("keys", FindingState.Warning, $"Others on this machine may read {open.FullName}.", $"Run: chmod 600 {open.FullName}");
    }

    private static Finding Lost() => new(
        "keys", FindingState.Failed, "What is stored encrypted cannot be read: the keys in Data:Directory are others.",
        "Restore the directory keys from the backup that belongs to this database, or store every secret again.");

    private async Task<Finding> LookAtProxyAsync(CancellationToken cancellationToken)
    {
        var serving = await proxies.ListServingAsync(cancellationToken);
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        var hosts = await db.Routes.CountAsync(cancellationToken);
        if (serving.Count > 0)
        {
            return new Finding("proxy", FindingState.Ok, $"{string.Join(", ", serving.Select(proxy => proxy.Urls))} serves {hosts} host names.", null);
        }

        return hosts == 0
            ? new Finding("proxy", FindingState.Ok, "None runs, and no app has a host name.", null)
            : new Finding("proxy", FindingState.Failed, $"None runs, and {hosts} host names are answered by nobody.", "Start Deployer with the role proxy (--roles), and see that Proxy:Urls is free.");
    }

    private async Task<Finding> LookAtRegistryAsync(string part, string host, CancellationToken cancellationToken)
    {
        try
        {
            return await registries.TestAsync(host, cancellationToken) switch
            {
                null => new Finding(part, FindingState.Ok, "Its credentials were just removed.", null),
                { Works: true } test => new Finding(part, FindingState.Ok, test.Says, null),
                var test => new Finding(part, FindingState.Failed, test.Says, "Store its credentials again, or see that the engine reaches it."),
            };
        }
        catch (EngineException exception)
        {
            return new Finding(part, FindingState.Warning, $"It is asked through the engine: {exception.Message}", "See to the engine first.");
        }
        catch (SecretUnreadableException exception)
        {
            return new Finding(part, FindingState.Failed, exception.Message, "Store its credentials again.");
        }
    }

    private async Task<IReadOnlyList<RegistryView>> ListRegistriesAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await registries.ListAsync(cancellationToken);
        }
        catch (Exception exception) when (DatabaseFault.Explain(exception) is not null)
        {
            return [];
        }
    }
}
