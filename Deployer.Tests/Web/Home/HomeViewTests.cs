using Deployer.Core.Apps;
using Deployer.Core.Deployments;
using Deployer.Web.Features.Home;
using NodaTime;

namespace Deployer.Tests.Web.Home;

public sealed class HomeViewTests
{
    private static readonly AppOverview[] Apps =
    [
        App("api", "production", AppState.Running, DeploymentStatus.Succeeded, minute: 3),
        App("batch", "production", AppState.Down, DeploymentStatus.Succeeded, minute: 1),
        App("blog", "staging", AppState.Running, DeploymentStatus.Failed, minute: 2),
        App("cron", "staging", AppState.NotDeployed, last: null, minute: 0),
        App("shop", "staging", AppState.Running, DeploymentStatus.Running, minute: 5),
    ];

    [Theory]
    [InlineData("", null, "all", new[] { "api", "batch", "blog", "cron", "shop" })]
    [InlineData("B", null, "all", new[] { "batch", "blog" })]
    [InlineData("staging o", null, "all", new[] { "blog", "cron", "shop" })]
    [InlineData("image-a", null, "all", new[] { "api" })]
    [InlineData("", "production", "all", new[] { "api", "batch" })]
    [InlineData("", null, "trouble", new[] { "batch", "blog" })]
    [InlineData("", null, "deploying", new[] { "shop" })]
    [InlineData("", "staging", "running", new[] { "blog", "shop" })]
    [InlineData("", null, "new", new[] { "cron" })]
    [InlineData("nothing", null, "all", new string[0])]
    public void Choose_SearchEnvironmentAndGroup_NarrowsDown(string search, string? environment, string group, string[] names) =>
        Assert.Equal(names, HomeView.Read(search, environment, group, order: null, page: null).Choose(Apps).Apps.Select(app => app.Name));

    [Theory]
    [InlineData("name", new[] { "api", "batch", "blog", "cron", "shop" })]
    [InlineData("-name", new[] { "shop", "cron", "blog", "batch", "api" })]
    [InlineData("state", new[] { "batch", "blog", "shop", "api", "cron" })]
    [InlineData("last", new[] { "shop", "api", "blog", "batch", "cron" })]
    [InlineData("-environment", new[] { "shop", "cron", "blog", "batch", "api" })]
    [InlineData("rubbish", new[] { "api", "batch", "blog", "cron", "shop" })]
    public void Choose_Order_Sorts(string order, string[] names) =>
        Assert.Equal(names, HomeView.Read(null, null, null, order, page: null).Choose(Apps).Apps.Select(app => app.Name));

    [Fact]
    public void Choose_Counts_HeedSearchAndEnvironmentButNotTheGroup()
    {
        var rows = HomeView.Read(null, "staging", "new", null, null).Choose(Apps);

        Assert.Equal(
            [(AppGroup.All, 3), (AppGroup.Deploying, 1), (AppGroup.Trouble, 1), (AppGroup.Running, 2), (AppGroup.Stopped, 0), (AppGroup.New, 1)],
            rows.Counts.Select(count => (count.Key, count.Value)));
    }

    [Theory]
    [InlineData(1, "app-000", 50, 1)]
    [InlineData(3, "app-100", 20, 101)]
    [InlineData(99, "app-100", 20, 101)]
    [InlineData(-1, "app-000", 50, 1)]
    public void Choose_Page_GivesFiftyAtATimeAndTheLastForOneBeyond(int page, string first, int count, int from)
    {
        var many = Enumerable.Range(0, 120).Select(index => App($"app-{index:000}", "production", AppState.Running, null, 0)).ToList();

        var rows = HomeView.Read(null, null, null, null, page).Choose(many);

        Assert.Equal((first, count, from, 120, 3), (rows.Apps[0].Name, rows.Apps.Count, rows.First, rows.Total, rows.Pages));
    }

    [Fact]
    public void Write_AfterRead_IsTheSameAndSaysNothingOfTheUsual()
    {
        Assert.All(HomeView.Default.Write().Values, Assert.Null);

        var view = new HomeView("a b", "staging", AppGroup.Trouble, AppOrder.Last, IsReversed: true, 2);
        var written = view.Write();
        Assert.Equal(view, HomeView.Read(
            written["q"] as string, written["env"] as string, written["show"] as string, written["sort"] as string, written["page"] as int?));
    }

    private static AppOverview App(string name, string environment, AppState state, DeploymentStatus? last, int minute) => new(
        name, environment, state, $"registry.test/image-{name}:v1", [], Serving: null,
        last is { } status ? [new Attempt(1, 1, status, "ann", Instant.FromUnixTimeSeconds(minute * 60), null, null)] : [],
        Waiting: null);
}
