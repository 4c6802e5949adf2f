using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.Data.Sqlite;

namespace Deployer.Tests.Api;

/// <summary>Starts Deployer as a process of its own, as an operator does.</summary>
public sealed class StartTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("deployer-start-").FullName;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task Start_UrlsMalformed_SaysSoAndStops()
    {
        foreach (var url in new[] { "127.0.0.1:9000", "ftp://127.0.0.1:9000", "http://127.0.0.1:9000/base", "http://127.0.0.1:99999" })
        {
            await RefusedAsync(["--urls", url], "Urls", url);
        }
    }

    [Fact]
    public async Task Start_PortTaken_SaysSoAndStops()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();

        await RefusedAsync(["--urls", $"http://{other.LocalEndpoint}"], "Urls", "another program");
    }

    [Fact]
    public async Task Start_DataDirectoryIsAFile_SaysSoAndStops()
    {
        var file = Path.Combine(_directory, "file");
        await File.WriteAllTextAsync(file, "", Cancellation);

        await RefusedAsync([$"--Data:Directory={file}"], "Data:Directory", file);
    }

    [Fact]
    public async Task Start_DataDirectoryEmpty_SaysSoAndStops() => await RefusedAsync(["--Data:Directory="], "Data:Directory", "empty");

    [Fact]
    public async Task Start_DatabaseIsNone_SaysSoAndStops()
    {
        await File.WriteAllTextAsync(Path.Combine(_directory, "deployer.db"), new string('x', 5000), Cancellation);

        await RefusedAsync([$"--Data:Directory={_directory}"], "Data:Directory", "deployer.db");
    }

    [Fact]
    public async Task Start_DatabaseOfANewerVersion_SaysSoAndStops()
    {
        await using (var connection = new SqliteConnection($"Data Source={Path.Combine(_directory, "deployer.db")};Pooling=False"))
        {
            await connection.OpenAsync(Cancellation);
            await using var command = connection.CreateCommand();
            command.CommandText =
                """
                CREATE TABLE "__EFMigrationsHistory" ("MigrationId" TEXT PRIMARY KEY, "ProductVersion" TEXT NOT NULL);
                INSERT INTO "__EFMigrationsHistory" VALUES ('99990101000000_FromTheFuture', '99');
                """;
            await command.ExecuteNonQueryAsync(Cancellation);
        }

        await RefusedAsync([$"--Data:Directory={_directory}"], "Data:Directory", "newer Deployer");
    }

    [Fact]
    public async Task Start_EngineEndpointMalformed_SaysSoAndStops() =>
        await RefusedAsync([$"--Data:Directory={_directory}", "--Engine:Endpoint=not an address"], "Engine:Endpoint", "not an address");

    [Fact]
    public async Task Start_SampleImageMalformed_SaysSoAndStops() =>
        await RefusedAsync([$"--Data:Directory={_directory}", "--Samples:Image=Web"], "Samples:Image", "upper-case");

    [Fact]
    public async Task Start_NumberMalformed_SaysSoAndStops() =>
        await RefusedAsync([$"--Data:Directory={_directory}", "--Runner:Lease=soon"], "Runner:Lease", "soon");

    [Fact]
    public async Task Start_FromAnotherDirectory_AddsTheSampleOnceAndAnnouncesItsAddress()
    {
        for (var start = 0; start < 2; start++)
        {
            using var process = Start([
                $"--Data:Directory={_directory}", "--Samples:Image=localhost:5000/web:v1", "--urls", "http://127.0.0.1:0",
                "--Proxy:Urls=http://127.0.0.1:0", $"--Engine:Endpoint=unix://{_directory}/none.sock"]);
            try
            {
                string? line;
                do
                {
                    line = await process.StandardOutput.ReadLineAsync(Cancellation);
                    Assert.NotNull(line);
                }
                while (!line.Contains("Deployer is ready at http://127.0.0.1:", StringComparison.Ordinal));

                using var client = new HttpClient { BaseAddress = new Uri(line[line.IndexOf("http://", StringComparison.Ordinal)..].Trim()) };
                var apps = System.Text.Json.JsonSerializer.Deserialize<System.Text.Json.JsonElement>(await client.GetStringAsync("/api/apps", Cancellation)).GetProperty("apps");
                var app = Assert.Single(apps.EnumerateArray());
                Assert.Equal(("hello", "localhost:5000/web:v1"), (app.GetProperty("name").GetString(), app.GetProperty("image").GetString()));
                Assert.Equal("""[{"container":8080,"host":0}]""", app.GetProperty("ports").GetRawText());
            }
            finally
            {
                process.Kill();
                await process.WaitForExitAsync(CancellationToken.None);
            }
        }
    }

    private async Task RefusedAsync(string[] arguments, string key, string cause)
    {
        using var process = Start(["--urls", "http://127.0.0.1:0", "--Proxy:Urls=http://127.0.0.1:0", $"--Data:Directory={_directory}", .. arguments]);
        var output = process.StandardOutput.ReadToEndAsync(Cancellation);
        var error = await process.StandardError.ReadToEndAsync(Cancellation);
        await process.WaitForExitAsync(Cancellation);

        Assert.NotEqual(0, process.ExitCode);
        Assert.StartsWith("Deployer does not start. ", error, StringComparison.Ordinal);
        Assert.Contains(key, error, StringComparison.Ordinal);
        Assert.Contains(cause, error, StringComparison.Ordinal);
        Assert.Single(error.TrimEnd().Split('\n'));
        Assert.DoesNotContain("   at ", error + await output, StringComparison.Ordinal);
    }

    private static Process Start(string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet")
        {
            UseShellExecute = false,
            WorkingDirectory = Path.GetTempPath(),
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardErrorEncoding = Encoding.UTF8,
            ArgumentList = { typeof(Program).Assembly.Location },
        };
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        return Process.Start(start)!;
    }
}
