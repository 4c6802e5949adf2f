using System.Diagnostics;
using System.Globalization;

namespace Deployer.Bench.SwitchOver;

/// <summary>
/// nginx as a proxy before the same container, with connections that it keeps: what a proxy costs at all on this machine.
/// </summary>
internal sealed class NginxProxy : IAsyncDisposable
{
    private readonly Process _process;

    private NginxProxy(Process process, Uri address)
    {
        _process = process;
        Address = address;
    }

    public Uri Address { get; }

    public static NginxProxy Start(string directory, Uri container, int port)
    {
        Directory.CreateDirectory(directory);
        var temporary = string.Concat(new[] { "client_body", "proxy", "fastcgi", "uwsgi", "scgi" }.Select(kind => $"{kind}_temp_path {directory}; "));
        var configuration = Path.Combine(directory, "nginx.conf");
        File.WriteAllText(configuration, string.Create(CultureInfo.InvariantCulture, $$"""
            daemon off; pid {{directory}}/nginx.pid; error_log {{directory}}/error.log; worker_processes 2;
            events { worker_connections 1024; }
            http {
              access_log off; keepalive_requests 10000000; {{temporary}}
              upstream app { server {{container.Authority}}; keepalive 64; keepalive_requests 10000000; }
              server {
                listen 127.0.0.1:{{port}};
                location / {
                  proxy_pass http://app; proxy_http_version 1.1; proxy_buffering off;
                  proxy_set_header Connection ""; proxy_set_header Host $host;
                  proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Forwarded-Proto $scheme; proxy_set_header X-Forwarded-Host $host;
                }
              }
            }
            """));
        var start = new ProcessStartInfo("nginx", ["-e", Path.Combine(directory, "error.log"), "-c", configuration]) { UseShellExecute = false };
        return new NginxProxy(
            Process.Start(start) ?? throw new InvalidOperationException("nginx could not be started; install it (Debian: nginx-light)."),
            new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}")));
    }

    public async ValueTask DisposeAsync()
    {
        // Its workers end with it.
        using var stop = Process.Start("kill", ["-TERM", _process.Id.ToString(CultureInfo.InvariantCulture)]);
        await stop.WaitForExitAsync();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }
}
