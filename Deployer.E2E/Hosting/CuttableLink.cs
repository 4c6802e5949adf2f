using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Deployer.E2E.Hosting;

/// <summary>
/// The way from a browser to a server, to be cut as a network is that goes away: the browser learns of it at once, the
/// server does not, and goes on sending into nothing.
/// </summary>
public sealed class CuttableLink : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly ConcurrentBag<Connection> _connections = [];
    private readonly TaskCompletionSource _lost = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Uri _server;
    private readonly Task _accepting;
    private volatile bool _isCut;

    /// <summary>Opens a way to a server.</summary>
    public CuttableLink(Uri server)
    {
        _server = server;
        _listener.Start();
        Address = new Uri($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}");
        _accepting = AcceptAsync();
    }

    /// <summary>The browser's end.</summary>
    public Uri Address { get; }

    /// <summary>Completes when the server has sent something into nothing.</summary>
    public Task Lost => _lost.Task;

    /// <summary>Cuts all connections, and lets none through until it is mended.</summary>
    public void Cut()
    {
        _isCut = true;
        foreach (var connection in _connections)
        {
            connection.IsCut = true;
            connection.Browser.Close();
        }
    }

    /// <summary>Lets connections through again. Those that were cut stay so.</summary>
    public void Mend() => _isCut = false;

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _listener.Stop();
        await _accepting;
        foreach (var connection in _connections)
        {
            connection.Browser.Dispose();
            connection.Server.Dispose();
            await Task.WhenAll(connection.Pumps);
        }
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            TcpClient browser;
            try
            {
                browser = await _listener.AcceptTcpClientAsync();
            }
            catch (SocketException)
            {
                return; // stopped
            }

            if (_isCut)
            {
                browser.Dispose();
                continue;
            }

            var connection = new Connection(browser, new TcpClient());
            await connection.Server.ConnectAsync(IPAddress.Loopback, _server.Port);
            connection.Pumps = [ToServerAsync(connection), ToBrowserAsync(connection)];
            _connections.Add(connection);
        }
    }

    private static async Task ToServerAsync(Connection connection)
    {
        try
        {
            await connection.Browser.GetStream().CopyToAsync(connection.Server.GetStream());
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException)
        {
            // One of the ends is gone.
        }

        if (!connection.IsCut)
        {
            connection.Server.Close();
        }
    }

    private async Task ToBrowserAsync(Connection connection)
    {
        var buffer = new byte[16 * 1024];
        try
        {
            var browser = connection.Browser.GetStream();
            var server = connection.Server.GetStream();
            for (int read; (read = await server.ReadAsync(buffer)) > 0;)
            {
                if (connection.IsCut)
                {
                    _lost.TrySetResult();
                }
                else
                {
                    await browser.WriteAsync(buffer.AsMemory(0, read));
                }
            }
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException or InvalidOperationException)
        {
            // One of the ends is gone.
        }

        connection.Browser.Close();
    }

    private sealed class Connection(TcpClient browser, TcpClient server)
    {
        public TcpClient Browser { get; } = browser;

        public TcpClient Server { get; } = server;

        public Task[] Pumps { get; set; } = [];

        public volatile bool IsCut;
    }
}
