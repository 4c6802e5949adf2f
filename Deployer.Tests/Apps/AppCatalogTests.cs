using Deployer.Core.Apps;
using Deployer.Core.Data;
using Deployer.Core.Deployments;
using Deployer.Tests.Fakes;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using NodaTime;

namespace Deployer.Tests.Apps;

public sealed class AppCatalogTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private AppCatalog Catalog => server.Services.GetRequiredService<AppCatalog>();

    [Fact]
    public async Task Find_AppWithHistory_GivesNewestAndServingDeployment()
    {
        var name = await server.AddAppAsync(Cancellation);
        var ids = await InsertAsync(name, DeploymentStatus.Succeeded, DeploymentStatus.Failed, DeploymentStatus.Canceled);
        await using (var db = await OpenAsync())
        {
            await db.Apps.Where(app => app.Name == name).ExecuteUpdateAsync(set => set.SetProperty(app => app.CurrentDeploymentId, ids[0]), Cancellation);
        }

        var app = await Catalog.FindAsync(name, Cancellation);

        Assert.Equal((ids[2], 3, DeploymentStatus.Canceled, "web:3"), (
            app!.LastDeployment!.Id, app.LastDeployment.Number, app.LastDeployment.Status, app.LastDeployment.Image));
        Assert.Equal((ids[0], 1, DeploymentStatus.Succeeded, "web:1"), (
            app.CurrentDeployment!.Id, app.CurrentDeployment.Number, app.CurrentDeployment.Status, app.CurrentDeployment.Image));
        Assert.Equal(app, Assert.Single(await Catalog.ListAsync(Cancellation), candidate => candidate.Name == name) with { Spec = app.Spec });
    }

    [Fact]
    public async Task List_LongHistory_ReadsItByItsIndex()
    {
        await using var db = await OpenAsync();
        var name = await server.AddAppAsync(Cancellation);
        await InsertAsync(name, DeploymentStatus.Failed);
        var commands = new List<string>();
        var options = new DbContextOptionsBuilder<DeployerDb>().UseSqlite(db.Database.GetConnectionString())
            .AddInterceptors(new CommandRecorder(commands)).Options;
        var catalog = new AppCatalog(
            new FixedDatabases(options), server.Engine, server.Services.GetRequiredService<InstanceIdentity>(),
            server.Services.GetRequiredService<AppOperations>(), new DeploymentFeed(), new FakeTimeProvider());

        await catalog.ListAsync(Cancellation);

        Assert.Equal(2, commands.Count);
        Assert.All(commands, command => Assert.DoesNotContain("ROW_NUMBER", command, StringComparison.Ordinal));
    }

    [Fact]
    public async Task AddAndChange_HostOfAnotherApp_NamesTheFieldAndTheOwnerAndSaveNothing()
    {
        var owner = ServerFixture.NewName();
        var other = ServerFixture.NewName();
        Assert.IsType<AppChange.Saved>(await Catalog.AddAsync(
            new AppDraft { Name = owner, Image = "web:v1", Hosts = [$"{owner}.example.com"] }, Cancellation));
        var draft = new AppDraft { Name = other, Image = "web:v1", Hosts = [$"{other}.example.com", $"{owner}.EXAMPLE.com"] };

        var added = Assert.IsType<AppChange.Invalid>(await Catalog.AddAsync(draft, Cancellation));
        var afterAdd = await Catalog.FindAsync(other, Cancellation);
        Assert.IsType<AppChange.Saved>(await Catalog.AddAsync(draft with { Hosts = [] }, Cancellation));
        var changed = Assert.IsType<AppChange.Invalid>(await Catalog.ChangeAsync(other, draft, Cancellation));

        Assert.Null(afterAdd);
        Assert.Contains($"belongs to the app {owner}", Assert.Single(added.Errors["hosts[1]"]), StringComparison.Ordinal);
        Assert.Contains($"belongs to the app {owner}", Assert.Single(changed.Errors["hosts[1]"]), StringComparison.Ordinal);
        Assert.Empty((await Catalog.FindAsync(other, Cancellation))!.Spec.Hosts);

        // Given up by its owner, the host is free.
        Assert.IsType<AppChange.Saved>(await Catalog.ChangeAsync(owner, new AppDraft { Name = owner, Image = "web:v1" }, Cancellation));
        Assert.IsType<AppChange.Saved>(await Catalog.ChangeAsync(other, draft, Cancellation));
    }

    [Fact]
    public async Task Change_WithTheDraftOfTheApp_LeavesItAsItIs()
    {
        var draft = new AppDraft
        {
            Name = ServerFixture.NewName(),
            Image = "localhost:5000/team/web:v1",
            Environment = "staging",
            Command = ["serve"],
            Env = new Dictionary<string, string?>(StringComparer.Ordinal) { ["MODE"] = "fast" },
            Secrets = ["TOKEN"],
            Ports = [new PortDraft(8080, null), new PortDraft(9090, 0)],
            Volumes = [new VolumeDraft("web-data", "/data")],
            Networks = ["back"],
            Health = new HealthDraft(null, 8080, null, null, null),
            Hosts = ["app.example.test"],
            MemoryMb = 64,
            Cpus = 0.5,
            Restart = RestartMode.Always,
            StopGraceSeconds = 1,
            Labels = new Dictionary<string, string?>(StringComparer.Ordinal) { ["team"] = "shop" },
            User = "1000",
            ReadOnlyRoot = true,
        };
        var added = Assert.IsType<AppChange.Saved>(await Catalog.AddAsync(draft, Cancellation)).App;
        Assert.Equal(new HealthSpec("/", 8080, 5, 5, 3), added.Spec.Health);

        var changed = Assert.IsType<AppChange.Saved>(await Catalog.ChangeAsync(added.Name, AppDraft.Of(added), Cancellation)).App;

        Assert.Equivalent(added with { UpdatedAt = changed.UpdatedAt }, changed, strict: true);
    }

    [Fact]
    public async Task Change_ToWhatIsInvalid_ChangesNothing()
    {
        var name = await server.AddAppAsync(Cancellation);
        var before = await Catalog.FindAsync(name, Cancellation);

        var change = await Catalog.ChangeAsync(name, new AppDraft { Image = "Web" }, Cancellation);

        Assert.Equal(["image"], Assert.IsType<AppChange.Invalid>(change).Errors.Keys);
        Assert.Equivalent(before, await Catalog.FindAsync(name, Cancellation), strict: true);
    }

    [Fact]
    public async Task Change_WithoutSecrets_KeepsTheirNamesAndStillChecksThem()
    {
        var name = ServerFixture.NewName();
        Assert.IsType<AppChange.Saved>(await Catalog.AddAsync(new AppDraft { Name = name, Image = "web:v1", Secrets = ["TOKEN"] }, Cancellation));
        var clash = new AppDraft { Image = "web:v2", Env = new Dictionary<string, string?>(StringComparer.Ordinal) { ["TOKEN"] = "in the clear" } };

        var kept = await Catalog.ChangeAsync(name, new AppDraft { Image = "web:v2" }, Cancellation);
        var refused = await Catalog.ChangeAsync(name, clash, Cancellation);
        var dropped = await Catalog.ChangeAsync(name, new AppDraft { Image = "web:v3", Secrets = [] }, Cancellation);

        Assert.Equal(["TOKEN"], Assert.IsType<AppChange.Saved>(kept).App.Spec.Secrets);
        Assert.Equal(["secrets[0]"], Assert.IsType<AppChange.Invalid>(refused).Errors.Keys);
        Assert.Empty(Assert.IsType<AppChange.Saved>(dropped).App.Spec.Secrets);
    }

    [Fact]
    public void Check_MoreEntriesThanAllowed_SaysHowMany()
    {
        var draft = new AppDraft { Name = "web", Image = "web", Command = [.. Enumerable.Repeat("x", 201)] };

        Assert.Equal("There are 201 entries; at most 200 are allowed.", Assert.Single(AppValidation.Check(draft).Errors["command"]));
    }

    [Fact]
    public async Task AddSample_WhenThereAreApps_AddsNone()
    {
        await server.AddAppAsync(Cancellation);

        await server.Services.GetRequiredService<SampleApp>().AddAsync(Cancellation);

        Assert.Null(await Catalog.FindAsync(SampleApp.Name, Cancellation));
    }

    private Task<DeployerDb> OpenAsync() => server.Services.GetRequiredService<IDbContextFactory<DeployerDb>>().CreateDbContextAsync(Cancellation);

    private async Task<List<long>> InsertAsync(string name, params DeploymentStatus[] statuses)
    {
        await using var db = await OpenAsync();
        var app = await db.Apps.SingleAsync(candidate => candidate.Name == name, Cancellation);
        var rows = statuses.Select((status, index) => new Deployment
        {
            AppId = app.Id,
            Number = index + 1,
            Status = status,
            Spec = app.Spec with { Image = $"web:{index + 1}" },
            CreatedAt = Instant.FromUnixTimeSeconds(index),
        }).ToList();
        db.Deployments.AddRange(rows);
        await db.SaveChangesAsync(Cancellation);
        return [.. rows.Select(row => row.Id)];
    }

    private sealed class CommandRecorder(List<string> commands) : DbCommandInterceptor
    {
        public override ValueTask<InterceptionResult<System.Data.Common.DbDataReader>> ReaderExecutingAsync(
            System.Data.Common.DbCommand command, CommandEventData eventData, InterceptionResult<System.Data.Common.DbDataReader> result, CancellationToken cancellationToken = default)
        {
            commands.Add(command.CommandText);
            return ValueTask.FromResult(result);
        }
    }
}
