using Bunit;
using Deployer.Core.Access;
using Deployer.Web.Components.Layout;
using Microsoft.Extensions.DependencyInjection;

namespace Deployer.Tests.Web.Layout;

public sealed class MainNavTests : IAsyncLifetime
{
    private readonly DashboardContext _context = new();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _context.DisposeAsync();

    [Fact]
    public void Nav_Owner_LeadsToEveryPlaceThatHasAPage()
    {
        var nav = _context.Render<MainNav>();

        var places = nav.FindAll("a.tab").Select(link => link.GetAttribute("href")).ToList();
        Assert.Equal(["/", "/activity"], places.Take(2));
        Assert.Subset(Place.All.Select(place => place.Href).ToHashSet(StringComparer.Ordinal), places.ToHashSet(StringComparer.Ordinal)!);
    }

    [Theory]
    [InlineData(null, 0)]
    [InlineData(AccessRole.Viewer, 2)]
    public void Nav_Roles_OpenPlacesOrHideThem(AccessRole? role, int least)
    {
        var grants = role is { } held ? new[] { new AccessGrant(held, "staging", null) } : [];
        _context.Services.AddSingleton<ICurrentActor>(new Somebody(grants));

        var nav = _context.Render<MainNav>();

        var names = nav.FindAll("a.tab").Select(link => link.TextContent.Trim()).ToList();
        Assert.Equal(least == 0, names.Count == 0);
        Assert.True(names.Count >= least);
        Assert.DoesNotContain("Audit", names);
        Assert.DoesNotContain("People", names);
    }

    private sealed class Somebody(IReadOnlyList<AccessGrant> grants) : ICurrentActor
    {
        public ValueTask<Actor> GetAsync(CancellationToken cancellationToken) =>
            ValueTask.FromResult(new Actor(ActorKind.Person, "2", "Vic", null, grants));
    }
}
