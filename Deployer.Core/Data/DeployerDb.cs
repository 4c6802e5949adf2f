using System.Text.Json;
using Deployer.Core.Access;
using Deployer.Core.Apps;
using Deployer.Core.Deployments;
using Deployer.Core.Routing;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Microsoft.EntityFrameworkCore.Storage.ValueConversion;
using NodaTime;

namespace Deployer.Core.Data;

/// <summary>The database. One context per operation, from the factory.</summary>
public sealed class DeployerDb(DbContextOptions<DeployerDb> options) : DbContext(options)
{
    /// <summary>People who may sign in; ASP.NET Core Identity reads and writes them.</summary>
    public DbSet<Person> People => Set<Person>();

    /// <summary>Apps by name.</summary>
    public DbSet<App> Apps => Set<App>();

    /// <summary>Deployments; the queue is those with status queued.</summary>
    public DbSet<Deployment> Deployments => Set<Deployment>();

    /// <summary>Steps of deployments.</summary>
    public DbSet<DeploymentStep> Steps => Set<DeploymentStep>();

    /// <summary>Host names and the apps that answer there.</summary>
    public DbSet<Route> Routes => Set<Route>();

    /// <summary>Containers that serve, or still finish requests.</summary>
    public DbSet<RouteTarget> RouteTargets => Set<RouteTarget>();

    /// <summary>Running proxies and what they last reported.</summary>
    public DbSet<ProxyInstance> Proxies => Set<ProxyInstance>();

    /// <inheritdoc/>
    protected override void ConfigureConventions(ModelConfigurationBuilder configurationBuilder)
    {
        configurationBuilder.Properties<Instant>().HaveConversion<InstantConverter>();
        configurationBuilder.Properties<AppSpec>().HaveConversion<JsonTextConverter<AppSpec>>();
        configurationBuilder.Properties<DeploymentFailure>().HaveConversion<JsonTextConverter<DeploymentFailure>>();
        configurationBuilder.Properties<IReadOnlyList<PublishedPort>>().HaveConversion<JsonTextConverter<IReadOnlyList<PublishedPort>>, PortsComparer>();
    }

    /// <inheritdoc/>
    protected override void OnModelCreating(ModelBuilder modelBuilder) =>
        modelBuilder.ApplyConfigurationsFromAssembly(typeof(DeployerDb).Assembly);

    /// <summary>Instants as nanoseconds since 1970-01-01T00:00:00Z: exact, comparable in SQL.</summary>
    private sealed class InstantConverter() : ValueConverter<Instant, long>(
        instant => instant.WithinDatabase().ToUnixTimeNanoseconds(), value => InstantNanoseconds.FromUnixTimeNanoseconds(value));

    private sealed class PortsComparer() : ValueComparer<IReadOnlyList<PublishedPort>>(
        (one, other) => one == other || (one != null && other != null && one.SequenceEqual(other)),
        ports => ports.Count,
        ports => ports);

    private sealed class JsonTextConverter<T>() : ValueConverter<T, string>(
        value => JsonSerializer.Serialize(value, DeployerJson.Options),
        text => JsonSerializer.Deserialize<T>(text, DeployerJson.Options)!);
}
