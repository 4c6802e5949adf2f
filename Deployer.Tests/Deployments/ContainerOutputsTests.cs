using Deployer.Core.Apps;
using Deployer.Core.Deployments;
using Deployer.Core.Logs;
using Deployer.Core.Registries;
using Deployer.Core.Secrets;
using Deployer.Tests.Engine.Docker;
using Deployer.Tests.Logs;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.EntityFrameworkCore;
using NodaTime;

namespace Deployer.Tests.Deployments;

/// <summary>What a real container writes, as people see it.</summary>
[Collection(DockerTests.Name)]
public sealed class ContainerOutputsTests(TestEngine docker) : IAsyncLifetime
{
    private readonly LogTestBed _bed = new();
    private readonly SecretVault _vault = new(new EphemeralDataProtectionProvider());

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private SecretBook Secrets => new(_bed, _vault, _bed.Feed, TimeProvider.System);

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await docker.TidyUpAsync();
        await _bed.DisposeAsync();
    }

    [Fact]
    public async Task Follow_SecretInTheOutput_IsMaskedAndTheEndIsTold()
    {
        await AddAsync(Secrets, "echo one; echo two; echo token=s3ntinel-value; echo bad s3ntinel-value 1>&2; printf unfinished; exit 3");

        var lines = await FollowAsync(Secrets, tail: 100);

        Assert.Equal(["one", "two", "token=***", "unfinished"], lines.Where(line => line.Stream == LogStream.Stdout).Select(line => line.Text));
        Assert.Equal(["bad ***"], lines.Where(line => line.Stream == LogStream.Stderr).Select(line => line.Text));
        Assert.Equal(new OutputLine(LogStream.System, "The container stopped with exit code 3."), lines[^1]);
    }

    [Fact]
    public async Task Follow_Tail_BeginsThatFarBack()
    {
        await AddAsync(Secrets, "for i in 1 2 3 4 5; do echo line $i; done");

        var lines = await FollowAsync(Secrets, tail: 2);

        Assert.Equal(["line 4", "line 5", "The container stopped with exit code 0."], lines.Select(line => line.Text));
    }

    [Fact]
    public async Task Follow_SecretsCannotBeRead_ShowsNothingOfTheOutput()
    {
        await AddAsync(Secrets, "echo s3ntinel-value");
        var otherKeys = new SecretBook(_bed, new SecretVault(new EphemeralDataProtectionProvider()), _bed.Feed, TimeProvider.System);

        var line = Assert.Single(await FollowAsync(otherKeys, tail: 10));

        Assert.Equal(LogStream.System, line.Stream);
        Assert.Contains("cannot be shown", line.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("s3ntinel", line.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Follow_NeverDeployed_SaysSo()
    {
        var lines = await FollowAsync(Secrets, tail: 10);

        Assert.Equal("Nothing runs yet: deploy the app first.", Assert.Single(lines).Text);
    }

    private async Task<List<OutputLine>> FollowAsync(SecretBook secrets, int tail)
    {
        var outputs = new ContainerOutputs(_bed, docker.Engine, secrets, new RegistryBook(_bed, _vault, docker.Engine, TimeProvider.System));
        var lines = new List<OutputLine>();
        await foreach (var batch in outputs.FollowAsync("web", tail, Cancel))
        {
            lines.AddRange(batch);
        }

        return lines;
    }

    private async Task AddAsync(SecretBook secrets, string script)
    {
        var id = await docker.StartAsync(await docker.PlanAsync("web", "v1", "sh", "-c", script));
        await docker.WaitForAsync(id, container => container.Status == Deployer.Core.Engine.ContainerStatus.Exited);
        await using var db = _bed.CreateDbContext();
        var spec = new AppSpec { Image = "registry.test/web:v1", Secrets = ["TOKEN"] };
        var app = new App { Name = "web", Environment = "production", Spec = spec, CreatedAt = Instant.FromUnixTimeSeconds(0), UpdatedAt = Instant.FromUnixTimeSeconds(0) };
        db.Apps.Add(app);
        await db.SaveChangesAsync(Cancel);
        Assert.Equal(SecretChange.Saved, await secrets.SetAsync("web", "TOKEN", "s3ntinel-value", Cancel));
        var deployment = new Deployment
        {
            AppId = app.Id,
            Number = 1,
            Status = DeploymentStatus.Succeeded,
            Spec = spec,
            ContainerId = id,
            SealedSecrets = await secrets.TakeSnapshotAsync(db, app.Id, spec.Secrets, Cancel),
            CreatedAt = Instant.FromUnixTimeSeconds(0),
        };
        db.Deployments.Add(deployment);
        await db.SaveChangesAsync(Cancel);
        await db.Apps.ExecuteUpdateAsync(set => set.SetProperty(row => row.CurrentDeploymentId, deployment.Id), Cancel);
    }
}
