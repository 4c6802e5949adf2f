using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;
using Deployer.Core.Engine;
using Deployer.Tests.Engine.Docker;

namespace Deployer.Tests.Runner.Crashes;

/// <summary>A request to the engine.</summary>
/// <param name="Verb">What it asks for: <c>list</c>, <c>create</c>, <c>inspect</c>, <c>start</c>, <c>stop</c>, <c>update</c>, <c>remove</c>, <c>pull</c>.</param>
/// <param name="About">The container's name; for a list the app's, for a pull the image's.</param>
internal sealed record EngineCall(string Verb, string About);

/// <summary>A call of the engine that is kept from going on.</summary>
/// <param name="Call">Which one.</param>
/// <param name="AfterTheDeed">
/// <see langword="false"/>: the engine never hears of it. <see langword="true"/>: the engine does it, but its answer is kept.
/// </param>
/// <param name="Since">The call from which on it is held; <see langword="null"/> for any time.</param>
internal sealed record Hold(EngineCall Call, bool AfterTheDeed, EngineCall? Since)
{
    private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _awake = Since is null;
    private int _taken;

    /// <summary>What the answer is let through up to the end of; <see langword="null"/> keeps it from its first byte.</summary>
    public Regex? LetThrough { get; init; }

    /// <summary>Completes when the call has come so far.</summary>
    public Task Reached => _reached.Task;

    public void Reach() => _reached.TrySetResult();

    /// <summary>Takes note of a call, and says whether it is to be held.</summary>
    public bool Takes(EngineCall call)
    {
        _awake |= call == Since;
        return _awake && call == Call;
    }

    /// <summary>Whether it holds no call yet; does from now on.</summary>
    public bool TryTake() => Interlocked.Exchange(ref _taken, 1) == 0;
}

/// <summary>
/// Stands between Deployer and a real engine and passes every byte on, except that it can hold a call before the engine
/// hears it, or its answer before Deployer does: so a crash hits exactly there.
/// </summary>
internal sealed partial class EngineRelay : IAsyncDisposable
{
    private readonly string _enginePath;
    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly IContainerEngine _engine;
    private readonly ConcurrentDictionary<string, string> _names = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<Task, byte> _connections = new();
    private readonly CancellationTokenSource _end = new();
    private readonly Task _accepting;
    private CancellationTokenSource _cut = new();
    private volatile Hold[] _holds = [];

    public EngineRelay(string path, string enginePath)
    {
        _enginePath = enginePath;
        _engine = TestEngine.Connect($"unix://{enginePath}");
        _listener.Bind(new UnixDomainSocketEndPoint(path));
        _listener.Listen(256);
        _accepting = AcceptAsync();
    }

    /// <summary>Holds these calls from now on.</summary>
    public void Arm(IEnumerable<Hold> holds) => _holds = [.. holds];

    /// <summary>Holds no further call for this one; what is held stays so.</summary>
    public void Disarm(Hold hold) => _holds = [.. _holds.Where(other => other != hold)];

    /// <summary>Breaks every connection, as the death of either side does, and holds nothing any more.</summary>
    public async Task CutAsync()
    {
        _holds = [];
        var cut = Interlocked.Exchange(ref _cut, new CancellationTokenSource());
        await cut.CancelAsync();
        await Task.WhenAll(_connections.Keys);
        cut.Dispose();
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        _listener.Dispose();
        await _accepting;
        await CutAsync();
        _cut.Dispose();
        _end.Dispose();
        ((IDisposable)_engine).Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_end.IsCancellationRequested)
        {
            try
            {
                var client = await _listener.AcceptAsync(_end.Token);
                var connection = Task.Run(() => ServeAsync(client, _cut.Token), CancellationToken.None);
                _connections.TryAdd(connection, 0);
                _ = connection.ContinueWith(ended => _connections.TryRemove(ended, out _), TaskScheduler.Default);
            }
            catch (Exception exception) when (exception is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private async Task ServeAsync(Socket client, CancellationToken cut)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cut);
        using var _ = client;
        using var engine = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await engine.ConnectAsync(new UnixDomainSocketEndPoint(_enginePath), either.Token);
            var line = new Line();
            await await Task.WhenAny(AskAsync(client, engine, line, either.Token), AnswerAsync(engine, client, line, either.Token));
        }
        catch (Exception exception) when (exception is OperationCanceledException or SocketException or EngineException)
        {
            // Either side is gone, or the line was cut.
        }
        finally
        {
            await either.CancelAsync();
        }
    }

    private async Task AskAsync(Socket client, Socket engine, Line line, CancellationToken cut)
    {
        var buffer = new byte[64 * 1024];
        while (await client.ReceiveAsync(buffer, cut) is var count and > 0)
        {
            if (await FindHoldAsync(buffer.AsMemory(0, count), cut) is { } hold)
            {
                line.Held = hold;
                if (!hold.AfterTheDeed)
                {
                    hold.Reach();
                    await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cut);
                }
            }

            await engine.SendAsync(buffer.AsMemory(0, count), cut);
        }
    }

    private static async Task AnswerAsync(Socket engine, Socket client, Line line, CancellationToken cut)
    {
        var buffer = new byte[64 * 1024];
        while (await engine.ReceiveAsync(buffer, cut) is var count and > 0)
        {
            if (line.Held is { } hold)
            {
                if (hold.LetThrough is { } last)
                {
                    var match = last.Match(Encoding.ASCII.GetString(buffer, 0, count));
                    await client.SendAsync(buffer.AsMemory(0, match.Success ? match.Index + match.Length : count), cut);
                    if (!match.Success)
                    {
                        continue;
                    }
                }

                hold.Reach();
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cut);
            }

            await client.SendAsync(buffer.AsMemory(0, count), cut);
        }
    }

    private async Task<Hold?> FindHoldAsync(ReadOnlyMemory<byte> bytes, CancellationToken cut) =>
        _holds is { Length: > 0 } holds
        && Request().Match(Encoding.ASCII.GetString(bytes.Span)) is { Success: true } match
        && await ReadAsync(match, cut) is { } call
            ? Choose([.. holds.Where(hold => hold.Takes(call))])
            : null;

    // Two apps may pull the same image; and whoever else asks the same is held, too.
    private static Hold? Choose(IReadOnlyList<Hold> holds) => holds.FirstOrDefault(hold => hold.TryTake()) ?? (holds.Count > 0 ? holds[0] : null);

    private async Task<EngineCall?> ReadAsync(Match match, CancellationToken cut)
    {
        var query = Uri.UnescapeDataString(match.Groups["query"].Value);
        if (match.Groups["noun"].Value == "images")
        {
            return ImageInQuery().Match(query) is { Success: true } image ? new EngineCall("pull", image.Groups["name"].Value) : null;
        }

        return (match.Groups["method"].Value, match.Groups["what"].Value) switch
        {
            ("GET", "json") when AppInFilter().Match(query) is { Success: true } app => new EngineCall("list", app.Groups["app"].Value),
            ("POST", "create") when NameInQuery().Match(query) is { Success: true } name => new EngineCall("create", name.Groups["name"].Value),
            ("DELETE", var id) => new EngineCall("remove", await NameAsync(id, cut)),
            (_, var path) when path.Split('/') is [var id, var verb] => new EngineCall(verb == "json" ? "inspect" : verb, await NameAsync(id, cut)),
            _ => null,
        };
    }

    private async Task<string> NameAsync(string id, CancellationToken cut)
    {
        if (!_names.TryGetValue(id, out var name) && await _engine.FindContainerAsync(id, cut) is { } container)
        {
            name = _names[id] = container.Name;
        }

        return name ?? "";
    }

    // POST /v1.41/containers/3f4e…9a/start?t=1 HTTP/1.1
    [GeneratedRegex(@"^(?<method>[A-Z]+) (?:/v[\d.]+)?/(?<noun>containers|images)/(?<what>[^? ]+)(?:\?(?<query>[^ ]*))? HTTP/1", RegexOptions.ExplicitCapture)]
    private static partial Regex Request();

    // all=true&filters={"label":{"deployer.instance=…":true,"deployer.app=web":true}}
    [GeneratedRegex("deployer\\.app=(?<app>[a-z0-9-]+)", RegexOptions.ExplicitCapture)]
    private static partial Regex AppInFilter();

    // name=deployer-web-2
    [GeneratedRegex("name=(?<name>[a-z0-9-]+)", RegexOptions.ExplicitCapture)]
    private static partial Regex NameInQuery();

    // fromImage=127.0.0.1:15002/big&tag=latest
    [GeneratedRegex("fromImage=[^&]*/(?<name>[a-z0-9-]+)", RegexOptions.ExplicitCapture)]
    private static partial Regex ImageInQuery();

    private sealed class Line
    {
        public volatile Hold? Held;
    }
}
