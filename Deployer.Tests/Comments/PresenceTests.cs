using Deployer.Core.Access;
using Deployer.Core.Comments;
using Deployer.Tests.Security;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace Deployer.Tests.Comments;

/// <summary>Who looks at a deployment, seen from two processes over one database.</summary>
public sealed class PresenceTests
{
    private readonly FakeTimeProvider _time = new(TimeProvider.System.GetUtcNow());

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Viewers_OfTwoProcesses_SeeOneAnother_UntilTheyLeaveOrTheirProcessDies()
    {
        await using var one = new GuardedServer(new Dictionary<string, string>(StringComparer.Ordinal), _time);
        await one.InitializeAsync();
        var target = await one.AddTargetAsync("staging", Cancellation);
        var other = new GuardedServer(new Dictionary<string, string>(StringComparer.Ordinal) { ["Data:Directory"] = one.DataDirectory }, _time);
        await other.InitializeAsync();
        var here = one.Services.GetRequiredService<PresenceBook>();
        var there = other.Services.GetRequiredService<PresenceBook>();
        Assert.NotSame(here, there);

        await here.EnterAsync(target.Deployment, Person("anna"), Cancellation);
        var tab = await there.EnterAsync(target.Deployment, Person("ben"), Cancellation);
        await there.EnterAsync(target.Deployment, Person("ben"), Cancellation);
        await there.EnterAsync(target.Deployment, Person("carl"), Cancellation);
        Assert.Equal(["anna", "ben", "carl"], await ViewersAsync(here, target));
        Assert.Equal(["anna", "ben", "carl"], await ViewersAsync(there, target));

        // One tab of two, and somebody who may not see it at all.
        await there.LeaveAsync(tab!.Value, Cancellation);
        Assert.Equal(["anna", "ben", "carl"], await ViewersAsync(here, target));
        Assert.Null(await there.EnterAsync(target.Deployment, Person("eve") with { Grants = [new AccessGrant(AccessRole.Owner, "production", null)] }, Cancellation));
        Assert.Null(await here.ListAsync(target.Deployment, Person("eve") with { Grants = [] }, Cancellation));

        // Both renew: nobody is lost, however long they look.
        for (var beat = 0; beat < 10; beat++)
        {
            _time.Advance(PresenceBook.Beat);
            await here.RenewAsync();
            await there.RenewAsync();
        }

        Assert.Equal(["anna", "ben", "carl"], await ViewersAsync(here, target));

        // The other process dies with its pages open.
        await other.DisposeAsync();
        for (var beat = 0; beat < 4; beat++)
        {
            _time.Advance(PresenceBook.Beat);
            await here.RenewAsync();
        }

        Assert.Equal(["anna"], await ViewersAsync(here, target));
        for (var beat = 0; beat < 4; beat++)
        {
            _time.Advance(PresenceBook.Beat);
            await here.RenewAsync();
        }

        await using var db = await one.DbAsync(Cancellation);
        Assert.Equal(1, await db.Set<PresenceRow>().CountAsync(Cancellation));
    }

    private static Actor Person(string name) => new(ActorKind.Person, name, name, "192.0.2.7", [new AccessGrant(AccessRole.Viewer, "staging", null)]);

    private static async Task<string[]> ViewersAsync(PresenceBook book, Target target) =>
        [.. (await book.ListAsync(target.Deployment, Person("anna"), Cancellation))!.Select(viewer => viewer.Name)];
}
