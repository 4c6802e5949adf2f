using Deployer.Core.Access;
using Deployer.Core.Audit;
using Deployer.Tests.Access;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using NodaTime;

namespace Deployer.Tests.Audit;

public sealed class AuditLogTests
{
    private static readonly Actor Dora = new(ActorKind.Person, "p1", "Dora", "192.0.2.7", []);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Entry_KeepsWhoWhatWhereWhenBeforeAndAfter()
    {
        await using var world = await AccessWorld.CreateAsync();
        await world.Get<AuditLog>().RecordAsync(Dora, new AuditFact(AuditAction.AppChanged, AuditSubject.App("web"))
        {
            Environment = "staging",
            Before = new { image = "web:1" },
            After = new { image = "web:2", MemoryMb = 64 },
            Note = "newer",
        }, Ct);

        var entry = Assert.Single(await world.Get<AuditLog>().SearchAsync(AuditQuery.Everything, 10, Ct));

        Assert.Equal((ActorKind.Person, "p1", "Dora", "192.0.2.7"), (entry.ActorKind, entry.ActorId, entry.ActorName, entry.Address));
        Assert.Equal(("app.changed", "app:web", "staging", "newer"), (entry.Action, entry.Subject, entry.Environment, entry.Note));
        Assert.Equal(("""{"image":"web:1"}""", """{"image":"web:2","memory_mb":64}"""), (entry.Before, entry.After));
        Assert.Equal(Instant.FromDateTimeOffset(world.Time.GetUtcNow()), entry.At);
    }

    [Theory]
    [InlineData("UPDATE audit_log SET actor_name = 'somebody else'")]
    [InlineData("DELETE FROM audit_log")]
    [InlineData("UPDATE audit_log SET id = id + 1")]
    public async Task Database_RefusesToChangeEntries(string sql)
    {
        await using var world = await AccessWorld.CreateAsync();
        await world.Get<AuditLog>().RecordAsync(Dora, new AuditFact(AuditAction.AppAdded, AuditSubject.App("web")), Ct);
        await using var db = await world.DbAsync();

        await Assert.ThrowsAsync<SqliteException>(() => db.Database.ExecuteSqlRawAsync(sql, Ct));

        Assert.Equal(["Dora app.added app:web"], await world.AuditedAsync());
    }

    [Fact]
    public async Task Search_NarrowsByTextActionSubjectTimeAndPage()
    {
        await using var world = await AccessWorld.CreateAsync();
        var log = world.Get<AuditLog>();
        var start = Instant.FromDateTimeOffset(world.Time.GetUtcNow());
        foreach (var (action, app) in new[] { ("app.added", "web"), ("app.changed", "web"), ("application.odd", "web"), ("app.added", "worker_%") })
        {
            await log.RecordAsync(Dora, new AuditFact(action, AuditSubject.App(app)), Ct);
            world.Time.Advance(TimeSpan.FromHours(1));
        }

        async Task<string[]> Found(AuditQuery query) =>
            [.. (await log.SearchAsync(query, 10, Ct)).Select(entry => $"{entry.Action} {entry.Subject}")];

        var all = AuditQuery.Everything;
        Assert.Equal(["app.added app:worker_%", "app.changed app:web", "app.added app:web"], await Found(all with { Action = "app" }));
        Assert.Equal(["app.added app:worker_%"], await Found(all with { Text = "_%" }));
        Assert.Equal(["app.changed app:web"], await Found(all with { Subject = "app:web", Action = "app.changed" }));
        Assert.Equal(["app.changed app:web"], await Found(all with { From = start + Duration.FromHours(1), Until = start + Duration.FromHours(2) }));
        var newest = (await log.SearchAsync(all, 1, Ct))[0];
        Assert.Equal(["application.odd app:web", "app.changed app:web", "app.added app:web"], await Found(all with { Before = newest.Id }));
    }

    [Fact]
    public async Task Export_OverSeveralSlices_GivesEachEntryOnceInOrder()
    {
        await using var world = await AccessWorld.CreateAsync();
        await using (var db = await world.DbAsync())
        {
            for (var index = 0; index < 1203; index++)
            {
                world.Get<AuditLog>().Stage(db, Dora, new AuditFact(AuditAction.LogDownloaded, AuditSubject.Deployment(index)));
            }

            await db.SaveChangesAsync(Ct);
        }

        var exported = new List<long>();
        await foreach (var entry in world.Get<AuditLog>().ExportAsync(AuditQuery.Everything, Ct))
        {
            exported.Add(entry.Id);
        }

        Assert.Equal(Enumerable.Range(1, 1203).Select(id => (long)id), exported);
    }
}
