using System.Threading.Channels;
using Docker.DotNet.Models;

namespace Deployer.Core.Engine.Docker;

/// <summary>
/// Takes the messages of a pull in the order in which the engine sends them. <see cref="Progress{T}"/> would post each to
/// the thread pool and reorder them.
/// </summary>
/// <param name="stop">Releases a writer that waits for room when nobody reads any more.</param>
internal sealed class PullMessages(CancellationToken stop) : IProgress<JSONMessage>
{
    private readonly Channel<PullEvent> _events = Channel.CreateBounded<PullEvent>(
        new BoundedChannelOptions(256) { SingleReader = true, SingleWriter = true });

    /// <summary>What happened, in order.</summary>
    public ChannelReader<PullEvent> Events => _events.Reader;

    /// <summary>The engine's first error inside the stream, which is answered with status 200 all the same.</summary>
    public string? Error { get; private set; }

    /// <summary>Whether the last message of a complete pull was seen, e.g. <c>Status: Image is up to date for …</c>.</summary>
    public bool IsConfirmed { get; private set; }

    /// <summary>Ends <see cref="Events"/>, with what made the pull fail.</summary>
    public void Complete(Exception? failure) => _events.Writer.TryComplete(failure);

    /// <inheritdoc/>
    public void Report(JSONMessage value)
    {
        if (value.Error is { } error)
        {
            Error ??= error.Message ?? "The engine reported an error without a message.";
        }
        else if (value.Status is { } status)
        {
            IsConfirmed |= value.ID is null && status.StartsWith("Status: ", StringComparison.Ordinal);
            Write(ToEvent(value, status));
        }
    }

    // {"status":"Downloading","progressDetail":{"current":538,"total":1024},"id":"8dfaefb39f44"} counts bytes;
    // {"status":"Pull complete","progressDetail":{},"id":"8dfaefb39f44"} is a milestone.
    private static PullEvent ToEvent(JSONMessage message, string status)
    {
        var current = message.Progress?.Current ?? 0;
        var total = message.Progress?.Total ?? 0;
        var layer = string.IsNullOrEmpty(message.ID) ? null : message.ID;
        return current > 0 || total > 0
            ? new PullEvent(layer, status, current, total > 0 ? total : null, IsMilestone: false)
            : new PullEvent(layer, status, Current: null, Total: null, IsMilestone: true);
    }

    private void Write(PullEvent pullEvent)
    {
        // A byte count that finds no room is outdated by the next one. A milestone waits, and with it the library's read
        // loop, and with that the engine: IProgress has no asynchronous form.
        if (!_events.Writer.TryWrite(pullEvent) && pullEvent.IsMilestone)
        {
            _events.Writer.WriteAsync(pullEvent, stop).AsTask().GetAwaiter().GetResult();
        }
    }
}
