using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Runtime.InteropServices;

namespace Deployer.Bench.SwitchOver;

/// <summary>The real program as a child process.</summary>
internal sealed class DeployerProcess : IAsyncDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(100);

    private readonly Process _process;

    private DeployerProcess(Process process) => _process = process;

    /// <summary>Starts it and waits until every address answers HTTP.</summary>
    public static async Task<DeployerProcess> StartAsync(
        IEnumerable<string> arguments, IEnumerable<Uri> addresses, string output, CancellationToken cancellationToken)
    {
        var program = Path.Combine(AppContext.BaseDirectory, "Deployer.Web.dll");
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        foreach (var argument in arguments.Prepend(program))
        {
            start.ArgumentList.Add(argument);
        }

        var process = Process.Start(start) ?? throw new InvalidOperationException("dotnet could not be started.");
        var log = TextWriter.Synchronized(new StreamWriter(output, append: true) { AutoFlush = true });
        process.OutputDataReceived += (_, line) => log.WriteLine(line.Data);
        process.ErrorDataReceived += (_, line) => log.WriteLine(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        var started = new DeployerProcess(process);
        using var limit = new CancellationTokenSource(StartLimit, TimeProvider.System);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        foreach (var address in addresses)
        {
            await started.WaitForAsync(address, output, either.Token);
        }

        return started;
    }

    /// <summary>Asks it to stop, as a service manager does, and waits until it is gone.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        const int Terminate = 15;
        if (!_process.HasExited)
        {
            _ = SendSignal(_process.Id, Terminate);
        }

        await _process.WaitForExitAsync(cancellationToken);
    }

    /// <summary>Ends it as a crash does.</summary>
    public async Task KillAsync(CancellationToken cancellationToken)
    {
        _process.Kill();
        await _process.WaitForExitAsync(cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync(CancellationToken.None);
        _process.Dispose();
    }

    private async Task WaitForAsync(Uri address, string output, CancellationToken cancellationToken)
    {
        using var client = new HttpClient();
        while (true)
        {
            if (_process.HasExited)
            {
                throw new InvalidOperationException($"Deployer ended with code {_process.ExitCode}; see {output}.");
            }

            try
            {
                using var answer = await client.GetAsync(address, cancellationToken);
                return;
            }
            catch (HttpRequestException)
            {
                await Task.Delay(LookInterval, TimeProvider.System, cancellationToken);
            }
        }
    }

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SendSignal(int process, int signal);
}
