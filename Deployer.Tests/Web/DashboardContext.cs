using Bunit;
using Deployer.Core.Access;
using Deployer.Core.Apps;
using Deployer.Core.Audit;
using Deployer.Core.Comments;
using Deployer.Core.Data;
using Deployer.Core.Deployments;
using Deployer.Core.Engine;
using Deployer.Core.Environments;
using Deployer.Core.Logs;
using Deployer.Core.Statistics;
using Deployer.Tests.Fakes;
using Deployer.Tests.Logs;
using Deployer.Web.Components;
using Deployer.Web.Components.Time;
using Deployer.Web.Features.Console;
using Deployer.Web.Features.Deploy;
using Deployer.Web.Features.Deployments;
using Deployer.Web.Features.Engines;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using MudBlazor;
using MudBlazor.Services;
using TestContext = Xunit.TestContext;

namespace Deployer.Tests.Web;

/// <summary>
/// Renders the dashboard's components over a real database and a clock that tests move. A test finds what it presses and
/// presses it within one <c>InvokeAsync</c>: a rendering between the two gives the handler another id.
/// </summary>
internal sealed class DashboardContext : BunitContext
{
    public DashboardContext()
    {
        // A busy machine renders late; a test that fails may take its time.
        DefaultWaitTimeout = TimeSpan.FromSeconds(30);
        Databases = new FailingDatabases(Bed);
        Logs = Bed.OpenStore();
        JSInterop.Mode = JSRuntimeMode.Loose;
        Services.AddMudServices(mud => mud.PopoverOptions.CheckForPopoverProvider = false);
        Services.AddSingleton<IDbContextFactory<DeployerDb>>(Databases);
        Services.AddSingleton<TimeProvider>(Time);
        Services.AddSingleton<IConfiguration>(new ConfigurationBuilder().Build());
        Services.AddSingleton<IContainerEngine>(Engine);
        Services.AddSingleton(Bed.Feed);
        Services.AddSingleton(Logs);
        Services.AddSingleton<IDataProtectionProvider>(new EphemeralDataProtectionProvider());
        Services.Configure<DataOptions>(data => data.Directory = Bed.Directory);
        Services.AddDeployments();
        Services.AddSingleton<AppCatalog>();
        Services.AddAppOverviews();
        Services.AddSingleton<AuditLog>();
        Services.AddSingleton<AccessSubjects>();
        Services.AddSingleton<EnvironmentBook>();
        Services.AddSingleton<ICurrentActor>(new Ada(this));
        Services.AddSingleton<PresenceBook>();
        Services.AddScoped<CommentBook>();
        Services.AddScoped<AuditGate>();
        Services.AddScoped<ApiTokens>();
        Services.AddScoped<AccessFeed>();
        Services.AddScoped<AppGate>();
        Services.AddScoped<DeploymentGate>();
        Services.AddSingleton<StatisticsReader>();
        Services.AddScoped<StatisticsGate>();
        Services.AddScoped<OverviewGate>();
        Services.AddScoped<PlanGate>();
        Services.AddScoped<OperationGate>();
        Services.AddDeploy();
        Services.AddSingleton<EnginePruning>();
        Services.AddScoped<EngineGate>();
        Services.AddSingleton<ContainerUse>();
        Services.AddSingleton<ContainerOutputs>();
        Services.AddScoped<RuntimeGate>();
        Services.AddScoped<SecretGate>();
        Services.AddScoped<RegistryGate>();
        Services.AddSingleton<LogFollower>();
        Services.AddSingleton<LogSearch>();
        Services.AddSingleton<LogFinder>();
        Services.AddSingleton<LogSieve>();
        Services.AddSingleton<DeploymentLogs>();
        Services.AddScoped<OperationGate>();
        Services.AddSingleton<EngineProbe>();
        Services.AddScoped<CircuitPresence>();
        Services.AddScoped<LiveReload>();
    }

    public LogTestBed Bed { get; } = new();

    public TellingTime Time { get; } = new();

    public QuietEngine Engine { get; } = new();

    /// <summary>What the components read and write, logs apart; can be made to fail.</summary>
    public FailingDatabases Databases { get; }

    /// <summary>The store of the logs.</summary>
    public LogStore Logs { get; }

    /// <summary>What Ada, who looks at the components, may do everywhere.</summary>
    public AccessRole Role { get; set; } = AccessRole.Owner;

    /// <summary>Whoever asks for Ada hears of her when this is done; at once, unless a test holds it.</summary>
    public Task Known { get; set; } = Task.CompletedTask;

    public AppCatalog Catalog => Services.GetRequiredService<AppCatalog>();

    public DeploymentQueue Queue => Services.GetRequiredService<DeploymentQueue>();

    public ISnackbar Snackbar => Services.GetRequiredService<ISnackbar>();

    /// <summary>Adds an app with the least that it needs.</summary>
    public async Task AddAppAsync(string name) =>
        Assert.IsType<AppChange.Saved>(await Catalog.AddAsync(new AppDraft { Name = name, Image = "web:v1" }, TestContext.Current.CancellationToken));

    /// <summary>Queues a deployment of an app.</summary>
    public async Task<DeploymentView> EnqueueAsync(string app)
    {
        var request = new DeploymentRequest(Image: null, Reason: null, RequestedBy: null, IdempotencyKey: null);
        return Assert.IsType<EnqueueResult.Queued>(await Queue.EnqueueAsync(app, request, TestContext.Current.CancellationToken)).Deployment;
    }

    /// <summary>Changes a deployment's row, as the runner would, and rings.</summary>
    public async Task ChangeAsync(long id, Func<IQueryable<Deployment>, Task<int>> change)
    {
        await using var db = Bed.CreateDbContext();
        Assert.Equal(1, await change(db.Deployments.Where(deployment => deployment.Id == id)));
        Bed.Feed.Publish(id);
    }

    /// <summary>Submits the one form of a component, and once more before the first time is done.</summary>
    public async Task SubmitTwiceAsync<T>(IRenderedComponent<T> component)
        where T : IComponent
    {
        var known = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await component.InvokeAsync(async () =>
        {
            Known = known.Task;
            var both = Task.WhenAll(component.Find("form").SubmitAsync(), component.Find("form").SubmitAsync());
            known.SetResult();
            await both;
        });
    }

    protected override async ValueTask DisposeAsyncCore()
    {
        await base.DisposeAsyncCore();
        await Bed.DisposeAsync();
    }

    private sealed class Ada(DashboardContext context) : ICurrentActor
    {
        public async ValueTask<Actor> GetAsync(CancellationToken cancellationToken)
        {
            await context.Known;
            return new Actor(ActorKind.Person, "1", "Ada", "127.0.0.1", [new AccessGrant(context.Role, null, null)]);
        }
    }
}
