using Deployer.Core.Apps;
using Deployer.Core.Deployments;
using Deployer.Core.Secrets;
using Deployer.Tests.Fakes;

namespace Deployer.Tests.Deployments;

/// <summary>Going back to an earlier deployment: the very image, the very spec.</summary>
public sealed class RestorerTests : IAsyncLifetime
{
    private const string First = "registry.test/web:v1";
    private const string Second = "registry.test/web:v2";

    private static readonly string FirstDigest = "sha256:" + new string('1', 64);

    private RunnerBench _bench = null!;

    private Restorer Restorer => _bench.Get<Restorer>();

    public async ValueTask InitializeAsync()
    {
        _bench = await RunnerBench.CreateAsync();
        _bench.Engine.Push(new FakeImage(First) { Digest = FirstDigest });
        _bench.Engine.Push(new FakeImage(Second) { Digest = "sha256:" + new string('2', 64) });
        await _bench.AddAppAsync("web", new AppSpec { Image = First, MemoryMb = 64, Secrets = ["TOKEN"] });
        await _bench.Get<SecretBook>().SetAsync("web", "TOKEN", "old-token", CancellationToken.None);
    }

    public async ValueTask DisposeAsync() => await _bench.DisposeAsync();

    [Theory]
    [InlineData(SecretChoice.Old, "old-token")]
    [InlineData(SecretChoice.Current, "new-token")]
    public async Task Restore_EarlierDeployment_RunsItsDigestAndSpecWithTheChosenSecrets(SecretChoice choice, string token)
    {
        var first = await _bench.DeployAsync("web", null);
        await _bench.Get<SecretBook>().SetAsync("web", "TOKEN", "new-token", CancellationToken.None);
        await _bench.DeployAsync("web", Second);

        var result = await Restorer.RestoreAsync(first.Id, choice, new DeploymentRequest(null, "back", "ann", null), CancellationToken.None);
        var queued = Assert.IsType<EnqueueResult.Queued>(result).Deployment;
        await _bench.CompleteAsync(await _bench.BeginAsync(queued.Id, CancellationToken.None));

        var restored = await _bench.ViewAsync(queued.Id);
        Assert.Equal((DeploymentStatus.Succeeded, first.Id), (restored.Status, restored.RestoredFrom));
        Assert.Equal($"{First}@{FirstDigest}", restored.Image);
        Assert.Equal(FirstDigest, restored.Digest);
        var container = Assert.Single(_bench.Engine.Containers);
        Assert.Equal(token, container.Plan.Environment["TOKEN"]);
        Assert.Contains($"system|The engine holds registry.test/web@{FirstDigest} already", await _bench.LinesAsync(queued.Id));
    }

    [Fact]
    public async Task Check_EarlierDeployment_ShowsDifferencesAndChangedSecrets()
    {
        var first = await _bench.DeployAsync("web", null);
        await _bench.Get<SecretBook>().SetAsync("web", "TOKEN", "new-token", CancellationToken.None);
        var second = await _bench.DeployAsync("web", Second);

        var check = (await Restorer.CheckAsync(first.Id, CancellationToken.None))!;

        Assert.Equal((first.Id, second.Id), (check.Restored.Id, check.Current!.Id));
        Assert.Equal((ImageWhereabouts.Here, null, null), (check.Image, check.WhyNot, check.StopFirst));
        Assert.Equal("image", Assert.Single(check.Differences).Field);
        Assert.Equal(new SecretDifference("TOKEN", true, true), Assert.Single(check.Secrets));
    }

    [Fact]
    public async Task Restore_FailedDeployment_IsRefusedWithTheReason()
    {
        var failed = await _bench.DeployAsync("web", "registry.test/web:nope");

        var result = await Restorer.RestoreAsync(failed.Id, SecretChoice.Old, new DeploymentRequest(null, null, null, null), CancellationToken.None);
        Assert.Equal("Only a deployment that succeeded can be restored.", Assert.IsType<EnqueueResult.NotRestorable>(result).WhyNot);
        Assert.Null(await Restorer.RestoreAsync(999, SecretChoice.Old, new DeploymentRequest(null, null, null, null), CancellationToken.None));
    }

    [Theory]
    [InlineData(SecretChoice.Old, SecretChoice.Current)]
    [InlineData(SecretChoice.Current, SecretChoice.Old)]
    public async Task Restore_KeyOfAnEarlierRequest_IsAnsweredByTheSameRestoreAlone(SecretChoice choice, SecretChoice other)
    {
        var first = await _bench.DeployAsync("web", null);
        var second = await _bench.DeployAsync("web", Second);

        Assert.IsType<EnqueueResult.Queued>(await DeployAsync("of a deploy"));
        Assert.IsType<EnqueueResult.KeyReused>(await RestoreAsync(first.Id, choice, "of a deploy"));

        var queued = Assert.IsType<EnqueueResult.Queued>(await RestoreAsync(first.Id, choice, "of a restore"));
        var replayed = Assert.IsType<EnqueueResult.Replayed>(await RestoreAsync(first.Id, choice, "of a restore"));
        Assert.Equal(queued.Deployment.Id, replayed.Deployment.Id);
        Assert.IsType<EnqueueResult.KeyReused>(await RestoreAsync(second.Id, choice, "of a restore"));
        Assert.IsType<EnqueueResult.KeyReused>(await RestoreAsync(first.Id, other, "of a restore"));
        Assert.IsType<EnqueueResult.KeyReused>(await DeployAsync("of a restore"));
    }

    [Fact]
    public async Task Restore_KeyOfARestoreWithoutSecrets_IsAnsweredWhateverTheChoice()
    {
        await _bench.AddAppAsync("plain", new AppSpec { Image = First });
        var first = await _bench.DeployAsync("plain", null);

        Assert.IsType<EnqueueResult.Queued>(await RestoreAsync(first.Id, SecretChoice.Old, "key"));
        Assert.IsType<EnqueueResult.Replayed>(await RestoreAsync(first.Id, SecretChoice.Current, "key"));
    }

    [Fact]
    public async Task CleanUp_MoreImagesThanKept_RemovesTheOldestAlone()
    {
        for (var version = 1; version <= 7; version++)
        {
            _bench.Engine.Push(new FakeImage($"registry.test/web:n{version}") { Digest = "sha256:" + new string((char)('0' + version), 64) });
            await _bench.DeployAsync("web", $"registry.test/web:n{version}");
        }

        Assert.Equal(
            [new FakeImage("registry.test/web:n1").Id, new FakeImage("registry.test/web:n2").Id],
            _bench.Engine.Calls.Where(call => call.StartsWith("remove-image", StringComparison.Ordinal)).Select(call => call["remove-image ".Length..]));
    }

    private Task<EnqueueResult> DeployAsync(string key) =>
        _bench.Queue.EnqueueAsync("web", new DeploymentRequest(null, null, "ann", key), CancellationToken.None);

    private Task<EnqueueResult?> RestoreAsync(long id, SecretChoice choice, string key) =>
        Restorer.RestoreAsync(id, choice, new DeploymentRequest(null, null, "ann", key), CancellationToken.None);
}
