using System.Diagnostics;
using System.Globalization;
using Deployer.Core.Data;
using Deployer.Core.Deployments;
using Deployer.Core.Logs;
using Deployer.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Deployer.Bench.Logs;

/// <summary>The whole server in a process of its own, while a million lines are appended and followed.</summary>
internal static class ServerMemory
{
    private const int Lines = 1_000_000;
    private const int Followers = 10;

    public static async Task RunAsync(Table table)
    {
        // Under "dotnet Deployer.Bench.dll" the process is dotnet, which wants the file first.
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true, UseShellExecute = false };
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet")
        {
            start.ArgumentList.Add(typeof(ServerMemory).Assembly.Location);
        }

        start.ArgumentList.Add("logs-server");
        using var server = Process.Start(start)!;
        var answer = (await server.StandardOutput.ReadToEndAsync()).Trim().Split('\n')[^1];
        await server.WaitForExitAsync();
        var parts = answer.Split(' ');
        var megabytes = double.Parse(parts[0], CultureInfo.InvariantCulture);
        table.Add(
            $"most resident memory of the whole server, 1,000,000 lines appended, {Followers} followers", $"{megabytes:F0} MB ({parts[1]} s)", "", "",
            Table.Met(megabytes < 300, "< 300 MB"));
    }

    /// <summary>The child: prints the most resident megabytes and the seconds it took.</summary>
    public static async Task<int> RunServerAsync()
    {
        var directory = Directory.CreateTempSubdirectory("deployer-server-");
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions
        {
            ApplicationName = typeof(DeployerApp).Assembly.GetName().Name,
            ContentRootPath = AppContext.BaseDirectory,
            Args = ["--urls", "http://127.0.0.1:0", "--Proxy:Urls", "http://127.0.0.1:0", "--Data:Directory", directory.FullName, "--Logging:LogLevel:Default", "None"],
        });
        builder.AddDeployer();
        builder.Logging.ClearProviders();
        await using var app = builder.Build();
        app.MapDeployer();
        await app.Services.GetRequiredService<DatabaseStartup>().PrepareAsync(CancellationToken.None);
        await app.StartAsync();
        var store = app.Services.GetRequiredService<LogStore>();
        var seconds = await Clock.TimeAsync(() => FollowAndAppendAsync(app.Services, store));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{PeakMegabytes():F1} {seconds:F1}"));
        await app.StopAsync();
        directory.Delete(recursive: true);
        return 0;
    }

    private static async Task FollowAndAppendAsync(IServiceProvider services, LogStore store)
    {
        var databases = services.GetRequiredService<IDbContextFactory<DeployerDb>>();
        var deployment = await AddDeploymentAsync(databases);
        var followers = Enumerable.Range(0, Followers).Select(_ => Task.Run(() => CountAsync(store, deployment))).ToArray();
        await using (var appender = store.Open(deployment, ["hunter2-correct-horse"]))
        {
            foreach (var line in Corpus.Stream(Lines))
            {
                await appender.AppendAsync(LogStream.Stdout, StepKind.Start, line, CancellationToken.None);
            }
        }

        await using (var db = await databases.CreateDbContextAsync())
        {
            await db.Deployments.Where(row => row.Id == deployment).ExecuteUpdateAsync(
                set => set.SetProperty(row => row.Status, DeploymentStatus.Succeeded));
        }

        services.GetRequiredService<DeploymentFeed>().Publish(deployment);
        var counts = await Task.WhenAll(followers);
        if (counts.Any(count => count != Lines))
        {
            throw new InvalidOperationException($"A follower saw {counts.Min()} to {counts.Max()} of {Lines} lines.");
        }
    }

    private static async Task<long> AddDeploymentAsync(IDbContextFactory<DeployerDb> databases)
    {
        await using var db = await databases.CreateDbContextAsync();
        var now = TimeProvider.System.Now();
        var app = new Core.Apps.App
        {
            Name = "bench",
            Environment = "production",
            Spec = new Core.Apps.AppSpec { Image = "web" },
            CreatedAt = now,
            UpdatedAt = now,
        };
        db.Apps.Add(app);
        await db.SaveChangesAsync();
        var deployment = new Deployment
        {
            AppId = app.Id,
            Number = 1,
            Status = DeploymentStatus.Running,
            Spec = app.Spec,
            CreatedAt = now,
            Worker = "bench",
            LeaseUntil = now + NodaTime.Duration.FromHours(1),
        };
        db.Deployments.Add(deployment);
        await db.SaveChangesAsync();
        return deployment.Id;
    }

    private static async Task<long> CountAsync(LogStore store, long deployment)
    {
        var count = 0L;
        await foreach (var page in store.FollowAsync(deployment, after: null, 1_000, CancellationToken.None))
        {
            count += page.Lines.Count;
        }

        return count;
    }

    /// <summary>The kernel's own count: VmHWM of <c>/proc/self/status</c>, e.g. <c>VmHWM:   123456 kB</c>.</summary>
    private static double PeakMegabytes() => File.ReadLines("/proc/self/status")
        .Where(line => line.StartsWith("VmHWM:", StringComparison.Ordinal))
        .Select(line => double.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1000)
        .Single();
}
