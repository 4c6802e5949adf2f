using Deployer.Core.Access;
using Deployer.Core.Audit;
using Deployer.Core.Data;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Hosting.Internal;
using Microsoft.Extensions.Time.Testing;

namespace Deployer.Tests.Access;

/// <summary>A fresh installation without pages: a database of its own, a clock that stands still, and the access services.</summary>
internal sealed class AccessWorld : IAsyncDisposable
{
    public const string GoodPassword = "violet harbour kettle 47";

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("deployer-access-");
    private readonly ServiceProvider _services;

    private AccessWorld(IReadOnlyDictionary<string, string?> settings, Action<IServiceCollection> add)
    {
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder()
            .AddInMemoryCollection(settings)
            .AddInMemoryCollection(new Dictionary<string, string?> { ["Data:Directory"] = _directory.FullName })
            .Build());
        services.AddSingleton<IHostEnvironment>(new HostingEnvironment { ContentRootPath = _directory.FullName });
        services.AddSingleton<TimeProvider>(Time);
        services.AddSingleton<IDataProtectionProvider>(new EphemeralDataProtectionProvider());
        services.AddLogging();
        services.AddData();
        services.AddAccess();
        add(services);
        _services = services.BuildServiceProvider(validateScopes: true);
    }

    public FakeTimeProvider Time { get; } = new(new DateTimeOffset(2026, 3, 4, 5, 6, 7, TimeSpan.Zero));

    public static CancellationToken Ct => TestContext.Current.CancellationToken;

    public T Get<T>()
        where T : notnull => _services.GetRequiredService<T>();

    public static Task<AccessWorld> CreateAsync() => CreateAsync(new Dictionary<string, string?>(), _ => { });

    public static async Task<AccessWorld> CreateAsync(IReadOnlyDictionary<string, string?> settings, Action<IServiceCollection> add)
    {
        var world = new AccessWorld(settings, add);
        await world.Get<DatabaseStartup>().PrepareAsync(Ct);
        return world;
    }

    /// <summary>Makes the first owner and gives who they are.</summary>
    public async Task<Actor> OwnerAsync()
    {
        var change = await Get<People>().CreateOwnerAsync(
            new NewPerson("olga@example.com", "Olga Owner", GoodPassword), "127.0.0.1", Ct);
        Assert.Empty(change.Errors);
        return await ActorAsync(change.PersonId!);
    }

    /// <summary>Makes a person by invitation and gives who they are.</summary>
    public async Task<Actor> JoinAsync(Actor owner, string name, AccessRole role, string? environment)
    {
        var invitation = await Get<Invitations>().InviteAsync(owner, $"{name}@example.com", role, environment, Ct);
        var change = await Get<Invitations>().AcceptAsync(invitation!.Key, name, GoodPassword, "192.0.2.7", Ct);
        Assert.Empty(change.Errors);
        return await ActorAsync(change.PersonId!);
    }

    public async Task<Actor> ActorAsync(string personId) =>
        await Get<ActorDirectory>().FindPersonAsync(personId, "192.0.2.7", Ct) ?? throw new InvalidOperationException("No such person.");

    public async Task<string[]> AuditedAsync() =>
        [.. (await Get<AuditLog>().SearchAsync(AuditQuery.Everything, 100, Ct)).Reverse()
            .Select(entry => $"{entry.ActorName} {entry.Action} {entry.Subject}")];

    public Task<DeployerDb> DbAsync() => Get<IDbContextFactory<DeployerDb>>().CreateDbContextAsync(Ct);

    public async ValueTask DisposeAsync()
    {
        await _services.DisposeAsync();
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        _directory.Delete(recursive: true);
    }
}
