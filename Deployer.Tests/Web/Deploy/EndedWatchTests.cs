using Deployer.Core.Access;
using Deployer.Core.Apps;
using Deployer.Core.Deployments;
using Deployer.Web.Features.Deploy;
using NodaTime;

namespace Deployer.Tests.Web.Deploy;

public sealed class EndedWatchTests
{
    private readonly EndedWatch _watch = new();

    [Fact]
    public void Next_OwnDeploymentEnds_TellsItOnce()
    {
        Assert.Empty(Next((1, DeploymentStatus.Succeeded, "Ada"), (2, DeploymentStatus.Running, "Ada")));
        Assert.Equal([2], Next((1, DeploymentStatus.Succeeded, "Ada"), (2, DeploymentStatus.Failed, "Ada")));
        Assert.Empty(Next((1, DeploymentStatus.Succeeded, "Ada"), (2, DeploymentStatus.Failed, "Ada")));
    }

    [Fact]
    public void Next_OwnDeploymentBeganAndEndedBetweenTwoLooks_IsTold()
    {
        Next((1, DeploymentStatus.Succeeded, "Ada"));

        Assert.Equal([2], Next((1, DeploymentStatus.Succeeded, "Ada"), (2, DeploymentStatus.Succeeded, "Ada")));
    }

    [Fact]
    public void Next_SomebodyElses_IsToldOnlyWhenItsPageWasOpened()
    {
        _watch.Open(3);
        Next((2, DeploymentStatus.Running, "Bob"), (3, DeploymentStatus.Queued, "Bob"));

        Assert.Equal([3], Next((2, DeploymentStatus.Succeeded, "Bob"), (3, DeploymentStatus.Canceled, "Bob")));
    }

    private IEnumerable<long> Next(params (long Id, DeploymentStatus Status, string Who)[] attempts)
    {
        var app = new AppOverview(
            "web", "production", AppState.Running, "web:v1", [], null,
            [.. attempts.Select(attempt => new Attempt(attempt.Id, (int)attempt.Id, attempt.Status, attempt.Who, Instant.MinValue, null, null))], null);
        return _watch.Next(new Overview([app], new Actor(ActorKind.Person, "1", "Ada", null, []))).Select(ended => ended.Attempt.Id);
    }
}
