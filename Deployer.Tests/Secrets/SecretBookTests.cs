using System.Text;
using Deployer.Core.Apps;
using Deployer.Core.Deployments;
using Deployer.Core.Logs;
using Deployer.Core.Secrets;
using Deployer.Tests.Fakes;
using Microsoft.Data.Sqlite;

namespace Deployer.Tests.Secrets;

/// <summary>Secrets of apps: where their values go, and where they do not.</summary>
public sealed class SecretBookTests : IAsyncLifetime
{
    private const string Image = "registry.test/web:v1";
    private const string Sentinel = "s3ntinel-v4lue-0f-a-password";

    private RunnerBench _bench = null!;

    private SecretBook Book => _bench.Get<SecretBook>();

    public async ValueTask InitializeAsync()
    {
        _bench = await RunnerBench.CreateAsync();
        await _bench.AddAppAsync("web", new AppSpec { Image = Image, Env = new Dictionary<string, string>(StringComparer.Ordinal) { ["PLAIN"] = "x" } });
    }

    public async ValueTask DisposeAsync() => await _bench.DisposeAsync();

    [Fact]
    public async Task Set_Value_NamesItInTheSpecAndListsItWithoutTheValue()
    {
        Assert.Equal(SecretChange.Saved, await Book.SetAsync("web", "TOKEN", Sentinel, CancellationToken.None));

        var secret = Assert.Single((await Book.ListAsync("web", CancellationToken.None))!);
        Assert.Equal("TOKEN", secret.Name);
        Assert.NotNull(secret.UpdatedAt);
    }

    [Theory]
    [InlineData("web", "1 BAD", "x", SecretChange.NameInvalid)]
    [InlineData("web", "PLAIN", "x", SecretChange.NameInEnv)]
    [InlineData("web", "GOOD", "a\0b", SecretChange.ValueInvalid)]
    [InlineData("nope", "GOOD", "x", SecretChange.AppUnknown)]
    public async Task Set_WhatCannotBe_SaysWhy(string app, string name, string value, SecretChange expected) =>
        Assert.Equal(expected, await Book.SetAsync(app, name, value, CancellationToken.None));

    [Fact]
    public async Task Deploy_WithSecret_GivesItToTheContainerAndShowsItNowhere()
    {
        await Book.SetAsync("web", "TOKEN", Sentinel, CancellationToken.None);
        _bench.Engine.Push(new FakeImage(Image)
        {
            OnStart = container =>
            {
                container.Write(LogStream.Stdout, $"token is {container.Plan.Environment["TOKEN"]}");
                container.Write(LogStream.Stderr, Convert.ToBase64String(Encoding.UTF8.GetBytes(Sentinel)));
                container.Report(Core.Engine.ContainerHealth.Unhealthy, 3, $"bad token {Sentinel}");
            },
            HasHealthCheck = true,
        });

        var failed = await _bench.DeployAsync("web", null);

        Assert.Equal(FailureCode.Unhealthy, failed.Failure!.Code);
        Assert.Equal("bad token ***", failed.Failure.Evidence!.HealthOutput);
        Assert.Contains("stdout|token is ***", await _bench.LinesAsync(failed.Id));
        var everything = await ReadEverythingAsync();
        Assert.DoesNotContain(Sentinel, everything, StringComparison.Ordinal);
        Assert.DoesNotContain(Convert.ToBase64String(Encoding.UTF8.GetBytes(Sentinel)), everything, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Deploy_SecretChangedAfterItWasQueued_UsesTheSnapshot()
    {
        _bench.Engine.Push(new FakeImage(Image));
        await Book.SetAsync("web", "TOKEN", "the-old-value", CancellationToken.None);
        var id = await _bench.EnqueueAsync("web", null);
        await Book.SetAsync("web", "TOKEN", "the-new-value", CancellationToken.None);
        await _bench.CompleteAsync(await _bench.BeginAsync(id, CancellationToken.None));

        Assert.Equal("the-old-value", Assert.Single(_bench.Engine.Containers).Plan.Environment["TOKEN"]);
    }

    [Fact]
    public async Task Deploy_SecretWithoutValue_FailsBeforeAnythingIsTouched()
    {
        await _bench.AddAppAsync("lacking", new AppSpec { Image = Image, Secrets = ["TOKEN"] });
        var failed = await _bench.DeployAsync("lacking", null);

        Assert.Equal(FailureCode.SecretMissing, failed.Failure!.Code);
        Assert.Contains("TOKEN", failed.Failure.Cause, StringComparison.Ordinal);
        Assert.DoesNotContain(_bench.Engine.Calls, call => call.StartsWith("pull", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Deploy_KeysLost_SaysSoInsteadOfRunningWithoutSecrets()
    {
        await Book.SetAsync("web", "TOKEN", Sentinel, CancellationToken.None);
        var id = await _bench.EnqueueAsync("web", null);
        System.IO.Directory.Delete(Path.Combine(_bench.Directory, SecretsRegistration.KeyDirectory), recursive: true);
        await using var next = _bench.Restart();
        await next.CompleteAsync(await next.BeginAsync(id, CancellationToken.None));

        var failed = await next.ViewAsync(id);
        Assert.Equal(FailureCode.SecretMissing, failed.Failure?.Code);
        Assert.Contains("Data:Directory", failed.Failure!.Cause, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Keys_OnDisk_AreForTheOwnerAlone()
    {
        await Book.SetAsync("web", "TOKEN", Sentinel, CancellationToken.None);

        var directory = Path.Combine(_bench.Directory, SecretsRegistration.KeyDirectory);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(directory));
        Assert.All(System.IO.Directory.GetFiles(directory), path => Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path)));
        Assert.NotEmpty(System.IO.Directory.GetFiles(directory, "*.xml"));
    }

    [Fact]
    public async Task Remove_Secret_ForgetsValueAndName()
    {
        await Book.SetAsync("web", "TOKEN", Sentinel, CancellationToken.None);

        Assert.Equal(SecretChange.Saved, await Book.RemoveAsync("web", "TOKEN", CancellationToken.None));
        Assert.Equal(SecretChange.Unknown, await Book.RemoveAsync("web", "TOKEN", CancellationToken.None));
        Assert.Empty((await Book.ListAsync("web", CancellationToken.None))!);
    }

    /// <summary>All bytes in the data directory, keys left out, as text.</summary>
    private async Task<string> ReadEverythingAsync()
    {
        await using (var connection = new SqliteConnection($"Data Source={Path.Combine(_bench.Directory, "deployer.db")}"))
        {
            await connection.OpenAsync();
            await using var command = connection.CreateCommand();
            command.CommandText = "PRAGMA wal_checkpoint(FULL)";
            await command.ExecuteNonQueryAsync();
        }

        var text = new StringBuilder();
        foreach (var path in System.IO.Directory.GetFiles(_bench.Directory))
        {
            await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            using var reader = new StreamReader(file, Encoding.Latin1);
            text.Append(await reader.ReadToEndAsync());
        }

        return text.ToString();
    }
}
