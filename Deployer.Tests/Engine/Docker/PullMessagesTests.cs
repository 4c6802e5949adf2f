using System.Globalization;
using Deployer.Core.Engine;
using Deployer.Core.Engine.Docker;
using Docker.DotNet.Models;

namespace Deployer.Tests.Engine.Docker;

public sealed class PullMessagesTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Report_MoreMilestonesThanThereIsRoomFor_KeepsAllInOrder()
    {
        var messages = new PullMessages(Token);
        var producer = Task.Run(
            () =>
            {
                for (var number = 0; number < 5_000; number++)
                {
                    messages.Report(new JSONMessage { ID = "layer", Status = number.ToString(CultureInfo.InvariantCulture) });
                }

                messages.Complete(failure: null);
            },
            Token);

        var statuses = await messages.Events.ReadAllAsync(Token).Select(pullEvent => pullEvent.Status).ToListAsync(Token);
        await producer;

        Assert.Equal(Enumerable.Range(0, 5_000).Select(number => number.ToString(CultureInfo.InvariantCulture)), statuses);
    }

    [Fact]
    public async Task Report_ByteCountsThatNobodyReads_AreDroppedWithoutBlocking()
    {
        var messages = new PullMessages(Token);
        for (var bytes = 1; bytes <= 5_000; bytes++)
        {
            messages.Report(new JSONMessage { ID = "layer", Status = "Downloading", Progress = new JSONProgress { Current = bytes, Total = 5_000 } });
        }

        messages.Complete(failure: null);

        var events = await messages.Events.ReadAllAsync(Token).ToListAsync(Token);
        Assert.Equal(new PullEvent("layer", "Downloading", Current: 1, Total: 5_000, IsMilestone: false), events[0]);
        Assert.InRange(events.Count, 1, 4_999);
    }

    [Fact]
    public async Task Report_MilestoneThatNobodyReads_EndsWithTheStop()
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var messages = new PullMessages(stop.Token);
        var producer = Task.Run(
            () =>
            {
                while (true)
                {
                    messages.Report(new JSONMessage { Status = "Waiting" });
                }
            },
            Token);

        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => producer);
    }

    [Fact]
    public void Report_ErrorInsideTheStream_KeepsTheFirstAndIsNotConfirmed()
    {
        var messages = new PullMessages(Token);

        messages.Report(new JSONMessage { Error = new JSONError { Message = "no matching manifest" } });
        messages.Report(new JSONMessage { Error = new JSONError { Message = "later" } });

        Assert.Equal("no matching manifest", messages.Error);
        Assert.False(messages.IsConfirmed);
    }

    [Theory]
    [InlineData(null, "Status: Image is up to date for web:v1", true)]
    [InlineData("layer", "Status: of a layer", false)]
    [InlineData(null, "Digest: sha256:0", false)]
    public void Report_StatusMessage_ConfirmsOnlyAtTheEnd(string? id, string status, bool confirmed)
    {
        var messages = new PullMessages(Token);

        messages.Report(new JSONMessage { ID = id, Status = status });

        Assert.Equal(confirmed, messages.IsConfirmed);
    }
}
