using System.Text.Json;
using Deployer.Core.Apps;
using Deployer.Core.Data;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Deployer.Core.Routing;

internal sealed class RouteConfiguration : IEntityTypeConfiguration<Route>
{
    public void Configure(EntityTypeBuilder<Route> builder)
    {
        builder.ToTable("routes");
        builder.HasKey(route => route.Host);
        builder.Property(route => route.Host).HasColumnName("host").HasMaxLength(253);
        builder.Property(route => route.AppId).HasColumnName("app_id");
        builder.Property(route => route.DeploymentId).HasColumnName("deployment_id");
        builder.HasOne<App>().WithMany().HasForeignKey(route => route.AppId).OnDelete(DeleteBehavior.Cascade);
    }
}

internal sealed class RouteTargetConfiguration : IEntityTypeConfiguration<RouteTarget>
{
    public void Configure(EntityTypeBuilder<RouteTarget> builder)
    {
        builder.ToTable("route_targets");
        builder.Property(target => target.Id).HasColumnName("id");
        builder.Property(target => target.AppId).HasColumnName("app_id");
        builder.Property(target => target.DeploymentId).HasColumnName("deployment_id");
        builder.Property(target => target.ContainerId).HasColumnName("container_id").HasMaxLength(128);
        builder.Property(target => target.Address).HasColumnName("address").HasMaxLength(45);
        builder.Property(target => target.ContainerPort).HasColumnName("container_port");
        builder.Property(target => target.Port).HasColumnName("port");
        builder.Property(target => target.State).HasColumnName("state");
        builder.Property(target => target.Version).HasColumnName("version");
        builder.Property(target => target.ChangedAt).HasColumnName("changed_at");
        builder.HasOne<App>().WithMany().HasForeignKey(target => target.AppId).OnDelete(DeleteBehavior.Cascade);
        builder.HasIndex(target => target.ContainerId).IsUnique();

        // An app is served by one container at a time, whatever the runners think.
        builder.HasIndex(target => target.AppId).IsUnique().HasFilter("state = 0")
            .HasDatabaseName("ix_route_targets_one_active_per_app");
    }
}

internal sealed class RouteClockConfiguration : IEntityTypeConfiguration<RouteClock>
{
    public void Configure(EntityTypeBuilder<RouteClock> builder)
    {
        builder.ToTable("route_clock");
        builder.Property(clock => clock.Id).HasColumnName("id").ValueGeneratedNever();
        builder.Property(clock => clock.Version).HasColumnName("version");
        builder.HasData(new RouteClock { Id = RouteClock.OnlyId, Version = 0 });
    }
}

internal sealed class ProxyInstanceConfiguration : IEntityTypeConfiguration<ProxyInstance>
{
    public void Configure(EntityTypeBuilder<ProxyInstance> builder)
    {
        builder.ToTable("proxies");
        builder.HasKey(proxy => proxy.Id);
        builder.Property(proxy => proxy.Id).HasColumnName("id").HasMaxLength(256);
        builder.Property(proxy => proxy.Urls).HasColumnName("urls").HasMaxLength(1000);
        builder.Property(proxy => proxy.StartedAt).HasColumnName("started_at");
        builder.Property(proxy => proxy.SeenAt).HasColumnName("seen_at");
        builder.Property(proxy => proxy.Version).HasColumnName("version");
        builder.Property(proxy => proxy.Draining).HasColumnName("draining").HasConversion(
            counts => JsonSerializer.Serialize(counts, DeployerJson.Options),
            text => JsonSerializer.Deserialize<Dictionary<long, int>>(text, DeployerJson.Options)!,
            new ValueComparer<IReadOnlyDictionary<long, int>>(
                (left, right) => ReferenceEquals(left, right),
                counts => counts.Count));
    }
}
