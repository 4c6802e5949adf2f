using Deployer.Core.Deployments;
using Deployer.Core.Deployments.Steps;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Deployer.Core.Runner;

/// <summary>Registers the runner.</summary>
public static class RunnerRegistration
{
    // After the grace a deployment is undone, which takes a moment at the engine.
    private static readonly TimeSpan UndoTime = TimeSpan.FromSeconds(20);

    /// <summary>Registers the hosted services that claim, execute and settle deployments, and their settings.</summary>
    public static IServiceCollection AddRunner(this IServiceCollection services)
    {
        services.AddOptions<RunnerOptions>()
            .BindConfiguration(RunnerOptions.Section)
            .ValidateDataAnnotations()
            .ValidateOnStart();
        services.AddOptions<HostOptions>().PostConfigure<IOptions<RunnerOptions>>((host, runner) =>
        {
            var needed = runner.Value.ShutdownGrace + UndoTime;
            host.ShutdownTimeout = host.ShutdownTimeout < needed ? needed : host.ShutdownTimeout;
        });
        services.AddSingleton<WorkerIdentity>();
        services.AddSingleton<ActiveRuns>();
        services.AddSingleton<SecretAudit>();
        services.AddSingleton<DeploymentExecutor>();
        services.AddSingleton<LeftoverSettler>();
        services.AddSingleton(provider => new RunnerStartup(
            provider.GetRequiredService<LeftoverSettler>(), provider.GetRequiredService<WorkerIdentity>(), provider.GetRequiredService<TimeProvider>()));
        AddPipeline(services);
        services.AddHostedService<DeploymentRunner>();
        services.AddSingleton<Caretaker>();
        services.AddHostedService(provider => provider.GetRequiredService<Caretaker>());
        return services;
    }

    private static void AddPipeline(IServiceCollection services)
    {
        services.AddSingleton<IHealthProbe, HttpHealthProbe>();
        services.AddSingleton(_ => OwnContainer.Detect());
        services.AddSingleton<FailureAdvisor>();
        services.AddSingleton<EvidenceTaker>();
        services.AddSingleton<Wellness>();
        services.AddSingleton<RollBack>();
        services.AddSingleton<Prepare>();
        services.AddSingleton<Pull>();
        services.AddSingleton<Start>();
        services.AddSingleton<HealthCheck>();
        services.AddSingleton<SwitchOver>();
        services.AddSingleton<CleanUp>();
        services.AddSingleton<DeploymentPipeline>();
    }
}
