using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Deployer.Tests.Notifications;

/// <summary>A request that came.</summary>
internal sealed record Received(string Path, IReadOnlyDictionary<string, string> Headers, string Body);

/// <summary>A web server that takes notifications, on a port of its own.</summary>
internal sealed class WebReceiver : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly Channel<Received> _received = Channel.CreateUnbounded<Received>();

    private WebReceiver(WebApplication app) => _app = app;

    /// <summary>What is answered to each request; the answer may wait.</summary>
    public Func<HttpContext, Task> Answer { get; set; } = context =>
    {
        context.Response.StatusCode = 204;
        return Task.CompletedTask;
    };

    public string Address { get; private set; } = "";

    public static async Task<WebReceiver> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseKestrel().UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        var receiver = new WebReceiver(builder.Build());
        receiver._app.Run(async context =>
        {
            using var reader = new StreamReader(context.Request.Body);
            receiver._received.Writer.TryWrite(new Received(
                context.Request.Path + context.Request.QueryString,
                context.Request.Headers.ToDictionary(header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase),
                await reader.ReadToEndAsync(context.RequestAborted)));
            await receiver.Answer(context);
        });
        await receiver._app.StartAsync();
        receiver.Address = receiver._app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
        return receiver;
    }

    /// <summary>The next request, as soon as it comes.</summary>
    public ValueTask<Received> NextAsync(CancellationToken cancellationToken) => _received.Reader.ReadAsync(cancellationToken);

    public bool IsEmpty => _received.Reader.Count == 0;

    public ValueTask DisposeAsync() => _app.DisposeAsync();
}

/// <summary>A mail server (RFC 5321) that takes every mail, with PLAIN authentication where asked for.</summary>
internal sealed class MailReceiver : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Channel<string> _mails = Channel.CreateUnbounded<string>();
    private readonly Task _serving;

    public MailReceiver()
    {
        _listener.Start();
        _serving = ServeAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>What was said to it, a command an entry.</summary>
    public ConcurrentQueue<string> Commands { get; } = new();

    /// <summary>What is answered to <c>RCPT</c>.</summary>
    public string RecipientAnswer { get; set; } = "250 OK";

    public ValueTask<string> NextAsync(CancellationToken cancellationToken) => _mails.Reader.ReadAsync(cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _serving;
        _stop.Dispose();
    }

    private async Task ServeAsync()
    {
        try
        {
            while (true)
            {
                using var client = await _listener.AcceptTcpClientAsync(_stop.Token);
                await TalkAsync(client.GetStream());
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or SocketException or IOException)
        {
            // The test ended.
        }
    }

    private async Task TalkAsync(NetworkStream stream)
    {
        using var reader = new StreamReader(stream, Encoding.UTF8);
        await using var writer = new StreamWriter(stream, new UTF8Encoding(false)) { NewLine = "\r\n", AutoFlush = true };
        await writer.WriteLineAsync("220 test ESMTP");
        while (await reader.ReadLineAsync(_stop.Token) is { } command)
        {
            Commands.Enqueue(command);
            switch (command.Split(' ')[0].ToUpperInvariant())
            {
                case "EHLO":
                    await writer.WriteLineAsync("250-test\r\n250-AUTH PLAIN\r\n250 8BITMIME");
                    break;
                case "AUTH":
                    await writer.WriteLineAsync("235 OK");
                    break;
                case "RCPT":
                    await writer.WriteLineAsync(RecipientAnswer);
                    break;
                case "DATA":
                    await writer.WriteLineAsync("354 go on");
                    var mail = new StringBuilder();
                    while (await reader.ReadLineAsync(_stop.Token) is { } line && line != ".")
                    {
                        mail.Append(line).Append('\n');
                    }

                    _mails.Writer.TryWrite(mail.ToString());
                    await writer.WriteLineAsync("250 taken");
                    break;
                case "QUIT":
                    await writer.WriteLineAsync("221 bye");
                    return;
                default:
                    await writer.WriteLineAsync("250 OK");
                    break;
            }
        }
    }
}
