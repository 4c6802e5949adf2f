using Deployer.Core.Apps;
using Deployer.Core.Deployments;
using Deployer.Core.Engine;
using Deployer.Core.Runner;
using Deployer.Tests.Engine.Docker;
using Deployer.Tests.Logs;
using Microsoft.Extensions.Options;
using NodaTime;

namespace Deployer.Tests.Engine;

/// <summary>Removing images of a real engine that nothing needs.</summary>
[Collection(DockerTests.Name)]
public sealed class EnginePruningTests(TestEngine docker) : IAsyncLifetime
{
    private readonly LogTestBed _bed = new();
    private int _number;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private EnginePruning Pruning => new(_bed, docker.Engine, Options.Create(new RunnerOptions { KeepImages = 1 }));

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await docker.TidyUpAsync();
        await _bed.DisposeAsync();
    }

    [Fact]
    public async Task Prune_WithoutChoice_RemovesSurplusImagesAlone()
    {
        var (old, kept, foreign) = (await PullAsync("crashlate", "latest"), await PullAsync("web", "v2"), await PullAsync("big", "latest"));
        var app = await AddAppAsync();
        await AddAsync(app, DeploymentStatus.Succeeded, old);
        await AddAsync(app, DeploymentStatus.Succeeded, kept);

        var preview = await Pruning.PreviewAsync(Cancel);
        Assert.Equal(PruneKind.Surplus, Assert.Single(preview.Images, image => image.Id == old).Kind);
        Assert.Equal(PruneKind.Foreign, Assert.Single(preview.Images, image => image.Id == foreign).Kind);
        Assert.DoesNotContain(preview.Images, image => image.Id == kept);
        Assert.Equal(1, preview.KeptForRestore);

        var result = await Pruning.PruneAsync(imageIds: null, Cancel);

        Assert.Equal([old], result.Removed.Select(image => image.Id));
        Assert.Null(await docker.Engine.FindImageAsync(old, Cancel));
        Assert.NotNull(await docker.Engine.FindImageAsync(kept, Cancel));
        Assert.NotNull(await docker.Engine.FindImageAsync(foreign, Cancel));
    }

    [Fact]
    public async Task Prune_Chosen_RemovesThemButNeverWhatIsNeededOrUsed()
    {
        var foreign = await PullAsync("big", "latest");
        var needed = await PullAsync("web", "v2");
        var used = await PullAsync("web", "v3");
        var running = await PullAsync("chatty", "latest");
        var app = await AddAppAsync();
        await AddAsync(app, DeploymentStatus.Succeeded, needed);
        await AddAsync(app, DeploymentStatus.Running, running);
        await docker.CreateAsync(await docker.PlanAsync("web", "v3"));

        var result = await Pruning.PruneAsync([foreign, needed, used, running, "sha256:nosuch"], Cancel);

        Assert.Equal([foreign], result.Removed.Select(image => image.Id));
        Assert.Equal([needed, used, running, "sha256:nosuch"], result.Kept);
        Assert.True(result.FreedBytes >= result.Removed[0].FreesBytes && result.FreedBytes > 1_000_000, $"{result.FreedBytes} bytes freed");
        Assert.Null(await docker.Engine.FindImageAsync(foreign, Cancel));
        foreach (var image in new[] { needed, used, running })
        {
            Assert.NotNull(await docker.Engine.FindImageAsync(image, Cancel));
        }
    }

    private async Task<string> PullAsync(string path, string tag)
    {
        var image = TestEngine.Image(path, tag);
        await docker.PullAsync(image);
        return (await docker.Engine.FindImageAsync(image.PullName, Cancel))!.Id;
    }

    private async Task<App> AddAppAsync()
    {
        await using var db = _bed.CreateDbContext();
        var app = new App
        {
            Name = "web",
            Environment = "production",
            Spec = new AppSpec { Image = "web:v1" },
            CreatedAt = Instant.FromUnixTimeSeconds(0),
            UpdatedAt = Instant.FromUnixTimeSeconds(0),
        };
        db.Apps.Add(app);
        await db.SaveChangesAsync(Cancel);
        return app;
    }

    private async Task AddAsync(App app, DeploymentStatus status, string image)
    {
        await using var db = _bed.CreateDbContext();
        db.Deployments.Add(new Deployment
        {
            AppId = app.Id,
            Number = ++_number,
            Status = status,
            Spec = app.Spec,
            ImageId = image,
            CreatedAt = Instant.FromUnixTimeSeconds(_number),
        });
        await db.SaveChangesAsync(Cancel);
    }
}
