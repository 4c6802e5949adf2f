using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Deployer.Tests.Fakes;
using Deployer.Tests.Proxy;

namespace Deployer.Tests.Runner.Crashes;

/// <summary>Deployer as a process of its own, on a data directory that outlives it.</summary>
internal sealed class DeployerProcess : IAsyncDisposable
{
    private readonly string _directory;
    private readonly string _endpoint;
    private readonly Dictionary<string, string> _settings;
    private readonly int _port = ProxyWorld.FreePort();
    private readonly int _proxyPort = ProxyWorld.FreePort();
    private readonly StringBuilder _output = new();
    private Process? _process;

    /// <param name="directory">Where its data directory lies.</param>
    /// <param name="endpoint">Its engine.</param>
    /// <param name="settings">Further settings, by their configuration keys.</param>
    public DeployerProcess(string directory, string endpoint, Dictionary<string, string> settings)
    {
        _directory = directory;
        _endpoint = endpoint;
        _settings = settings;
        Client = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{_port}"), Timeout = TimeSpan.FromSeconds(30) };
    }

    /// <summary>Calls its API.</summary>
    public HttpClient Client { get; }

    /// <summary>Its data directory.</summary>
    public string DataDirectory => Path.Combine(_directory, "data");

    /// <summary>Everything that it has written to standard output and standard error, also before it was killed.</summary>
    public string Output
    {
        get
        {
            lock (_output)
            {
                return _output.ToString();
            }
        }
    }

    /// <summary>Calls its proxy, also with requests that take for ever.</summary>
    private readonly HttpClient _proxy = new() { Timeout = Timeout.InfiniteTimeSpan };

    /// <summary>Starts it and returns when it takes requests.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo("dotnet")
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "Deployer.Web.dll"));
        foreach (var (key, value) in _settings
            .Append(new("Urls", $"http://127.0.0.1:{_port}"))
            .Append(new("Proxy:Urls", $"http://127.0.0.1:{_proxyPort}"))
            .Append(new("Data:Directory", DataDirectory))
            .Append(new("Engine:Endpoint", _endpoint)))
        {
            // Not as arguments: those are for everybody on the machine to read.
            start.Environment[key.Replace(":", "__", StringComparison.Ordinal)] = value;
        }

        var ready = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var process = Process.Start(start)!;
        process.OutputDataReceived += (_, line) =>
        {
            Write(line.Data);
            if (line.Data?.Contains("Deployer is ready", StringComparison.Ordinal) == true)
            {
                ready.TrySetResult();
            }
        };
        process.ErrorDataReceived += (_, line) => Write(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        _process = process;
        var ended = process.WaitForExitAsync(cancellationToken);
        if (await Task.WhenAny(ready.Task, ended) == ended)
        {
            await ended;
            Assert.Fail($"Deployer did not start: exit code {process.ExitCode}. {Output}");
        }
    }

    /// <summary>Kills it as a crash does: nothing of it runs any more.</summary>
    public async Task KillAsync(CancellationToken cancellationToken)
    {
        if (_process is { } process)
        {
            process.Kill();
            await process.WaitForExitAsync(cancellationToken);
            process.Dispose();
            _process = null;
        }
    }

    /// <summary>Asks it to stop, as an init system does, and gives its exit code.</summary>
    public async Task<int> StopAsync(CancellationToken cancellationToken)
    {
        var process = _process!;
        using var kill = Process.Start("kill", ["-TERM", process.Id.ToString(CultureInfo.InvariantCulture)]);
        await process.WaitForExitAsync(cancellationToken);
        var code = process.ExitCode;
        process.Dispose();
        _process = null;
        return code;
    }

    /// <summary>Gives the JSON of an answer.</summary>
    public Task<JsonElement> GetAsync(string path, CancellationToken cancellationToken) => Client.GetFromJsonAsync<JsonElement>(path, cancellationToken);

    /// <summary>Sends JSON, or nothing, and gives the JSON of an answer of that status.</summary>
    public async Task<JsonElement> SendAsync(HttpMethod method, string path, object? body, HttpStatusCode expected, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(method, new Uri(path, UriKind.Relative));
        request.Content = body is null ? null : JsonContent.Create(body);
        using var response = await Client.SendAsync(request, cancellationToken);
        return await response.ReadAsync(expected, cancellationToken);
    }

    /// <summary>Asks an app through the proxy; <see langword="null"/> unless it answers 200.</summary>
    public async Task<string?> AskAsync(string host, string path, CancellationToken cancellationToken)
    {
        try
        {
            var (status, text) = await AnswerAsync(host, path, cancellationToken);
            return status == HttpStatusCode.OK ? text.Trim() : null;
        }
        catch (HttpRequestException)
        {
            return null;
        }
    }

    /// <summary>Asks an app through the proxy, and gives what comes.</summary>
    public async Task<(HttpStatusCode Status, string Text)> AnswerAsync(string host, string path, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{_proxyPort}{path}")));
        request.Headers.Host = host;
        using var response = await _proxy.SendAsync(request, cancellationToken);
        return (response.StatusCode, await response.Content.ReadAsStringAsync(cancellationToken));
    }

    public async ValueTask DisposeAsync()
    {
        await KillAsync(CancellationToken.None);
        Client.Dispose();
        _proxy.Dispose();
    }

    private void Write(string? line)
    {
        lock (_output)
        {
            _output.AppendLine(line);
        }
    }
}
