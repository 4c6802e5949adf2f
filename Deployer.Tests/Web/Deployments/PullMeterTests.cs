using Deployer.Core.Deployments;
using Deployer.Core.Engine;
using Deployer.Web.Features.Deployments;
using Microsoft.Extensions.Time.Testing;

namespace Deployer.Tests.Web.Deployments;

public sealed class PullMeterTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void Take_LayersInEveryPhase_SumsBytesAndSaysWhatHappens()
    {
        var meter = new PullMeter(_time);

        meter.Take(
        [
            new LayerProgress("a", "Pulling fs layer", null, null), new LayerProgress("b", "Downloading", 25, 100),
            new LayerProgress("c", "Download complete", null, 50), new LayerProgress("d", "Extracting", 20, 40),
            new LayerProgress("e", "Pull complete", null, 10), new LayerProgress("f", "Already exists", null, null),
        ]);

        Assert.Equal((125, 200, 2), (meter.Bytes, meter.Total, meter.Done));
        Assert.Equal(
            [("Waiting", 0, false), ("Downloading", 25, false), ("Downloaded", 100, false), ("Unpacking", 50, true), ("Done", 100, true), ("Here already", 100, true)],
            meter.Bars.Select(bar => (bar.Says, bar.Percent, bar.IsUnpacking)));
    }

    [Fact]
    public void Take_AgainAndAgain_GivesTheRateOfTheLastSeconds()
    {
        var meter = new PullMeter(_time);
        foreach (var bytes in new[] { 0, 1_000, 2_000, 3_000, 3_000, 3_000, 3_000 })
        {
            meter.Take([new LayerProgress("a", "Downloading", bytes, 9_000)]);
            _time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.Equal(0, meter.Rate);
        meter.Take([new LayerProgress("a", "Downloading", 6_000, 9_000)]);
        Assert.Equal(1_000, meter.Rate);
    }

    [Fact]
    public void Report_MilestoneWithoutBytes_KeepsHowManyThereAre()
    {
        var board = new PullBoard();
        board.Report(1, new PullEvent("a", "Downloading", 10, 40, IsMilestone: false));
        board.Report(1, new PullEvent("a", "Download complete", null, null, IsMilestone: true));

        Assert.Equal([new LayerProgress("a", "Download complete", null, 40)], board.Read(1));
        board.Clear(1);
        Assert.Empty(board.Read(1));
    }
}
