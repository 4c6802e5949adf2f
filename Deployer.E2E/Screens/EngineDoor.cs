using System.Net;
using System.Net.Sockets;

namespace Deployer.E2E.Screens;

/// <summary>Leads from a loopback port to the engine's socket, so that no picture shows a path of this machine.</summary>
internal sealed class EngineDoor : IAsyncDisposable
{
    private readonly CancellationTokenSource _end = new();
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly string _socket;
    private readonly Task _accepting;

    /// <param name="engine">Address of the engine, <c>unix:///…</c>.</param>
    public EngineDoor(string engine)
    {
        _socket = new Uri(engine).LocalPath;
        _listener.Start();
        Endpoint = $"tcp://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}";
        _accepting = AcceptAsync();
    }

    /// <summary>The engine's address behind the door.</summary>
    public string Endpoint { get; }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        _listener.Dispose();
        await _accepting;
        _end.Dispose();
    }

    private async Task AcceptAsync()
    {
        var passing = new List<Task>();
        try
        {
            while (true)
            {
                passing.Add(PassAsync(await _listener.AcceptTcpClientAsync(_end.Token)));
            }
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAll(passing);
        }
    }

    private async Task PassAsync(TcpClient caller)
    {
        using (caller)
        using (var engine = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            try
            {
                await engine.ConnectAsync(new UnixDomainSocketEndPoint(_socket), _end.Token);
                await using var there = new NetworkStream(engine);
                var here = caller.GetStream();
                await Task.WhenAll(CopyAsync(here, there, () => engine.Shutdown(SocketShutdown.Send)), CopyAsync(there, here, () => caller.Client.Shutdown(SocketShutdown.Send)));
            }
            catch (Exception exception) when (exception is IOException or SocketException or OperationCanceledException)
            {
                // One side went away; the other learns of it by the close.
            }
        }
    }

    private async Task CopyAsync(Stream from, Stream to, Action done)
    {
        await from.CopyToAsync(to, _end.Token);
        done();
    }
}
