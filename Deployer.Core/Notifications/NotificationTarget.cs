using Deployer.Core.Apps;
using Deployer.Core.Data;
using Deployer.Core.Deployments;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using NodaTime;

namespace Deployer.Core.Notifications;

/// <summary>How a notification travels.</summary>
public enum NotificationKind
{
    /// <summary>JSON by HTTP POST, signed with HMAC-SHA256.</summary>
    Webhook = 1,

    /// <summary>To an incoming webhook that understands Slack's form.</summary>
    Slack = 2,

    /// <summary>To an incoming webhook that understands Discord's form.</summary>
    Discord = 3,

    /// <summary>By e-mail through the server of the settings.</summary>
    Email = 4,
}

/// <summary>What somebody may want to hear of.</summary>
[Flags]
public enum NotificationEvents
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>A deployment succeeded.</summary>
    Succeeded = 1,

    /// <summary>A deployment failed.</summary>
    Failed = 2,

    /// <summary>A deployment was canceled.</summary>
    Canceled = 4,

    /// <summary>A deployment waits for approval.</summary>
    ApprovalWanted = 8,
}

/// <summary>One row of <c>notification_targets</c>: who hears of what.</summary>
public sealed class NotificationTarget
{
    /// <summary>Database key.</summary>
    public long Id { get; init; }

    /// <summary>What it is called.</summary>
    public required string Name { get; init; }

    /// <summary>How the notification travels.</summary>
    public required NotificationKind Kind { get; init; }

    /// <summary>The app it is about; <see langword="null"/> for every one.</summary>
    public long? AppId { get; init; }

    /// <summary>The environment it is about; <see langword="null"/> for every one, and where an app is named.</summary>
    public string? Environment { get; init; }

    /// <summary>Of which events it tells.</summary>
    public required NotificationEvents Events { get; init; }

    /// <summary>Web address or e-mail address, encrypted: the addresses of chat systems are keys.</summary>
    public required byte[] Address { get; init; }

    /// <summary>The address as it may be shown: scheme and host, or the e-mail address.</summary>
    public required string AddressShown { get; init; }

    /// <summary>Signing secret of a webhook, encrypted; <see langword="null"/> for the other kinds.</summary>
    public byte[]? Secret { get; init; }

    /// <summary>Who made it.</summary>
    public required string CreatedBy { get; init; }

    /// <summary>When. Deployments that ended earlier are not told of.</summary>
    public required Instant CreatedAt { get; init; }
}

/// <summary>One row of <c>notification_deliveries</c>: the outbox and the delivery log in one.</summary>
public sealed class NotificationDelivery
{
    /// <summary>Database key; sent along, so that receivers can tell repeats.</summary>
    public long Id { get; init; }

    /// <summary>To whom.</summary>
    public required long TargetId { get; init; }

    /// <summary>About which deployment.</summary>
    public required long DeploymentId { get; init; }

    /// <summary>What happened.</summary>
    public required NotificationEvents Event { get; init; }

    /// <summary>When it was put into the outbox.</summary>
    public required Instant CreatedAt { get; init; }

    /// <summary>How often it was tried.</summary>
    public int Attempts { get; init; }

    /// <summary>When to try next; <see langword="null"/> once delivered or given up.</summary>
    public Instant? NextAttemptAt { get; init; }

    /// <summary>When it was delivered.</summary>
    public Instant? DeliveredAt { get; init; }

    /// <summary>What the last attempt met, without secrets.</summary>
    public string? LastError { get; init; }
}

internal sealed class NotificationTargetConfiguration : IEntityTypeConfiguration<NotificationTarget>
{
    public void Configure(EntityTypeBuilder<NotificationTarget> builder)
    {
        builder.ToSnakeCaseTable("notification_targets");
        builder.Property(target => target.Name).HasMaxLength(100);
        builder.Property(target => target.AddressShown).HasMaxLength(254);
        builder.Property(target => target.CreatedBy).HasMaxLength(256);
        builder.Property(target => target.Environment).HasMaxLength(63);
        builder.HasOne<App>().WithMany().HasForeignKey(target => target.AppId).OnDelete(DeleteBehavior.Cascade);
    }
}

internal sealed class NotificationDeliveryConfiguration : IEntityTypeConfiguration<NotificationDelivery>
{
    public void Configure(EntityTypeBuilder<NotificationDelivery> builder)
    {
        builder.ToSnakeCaseTable("notification_deliveries");
        builder.Property(delivery => delivery.LastError).HasMaxLength(500);
        builder.HasOne<NotificationTarget>().WithMany().HasForeignKey(delivery => delivery.TargetId).OnDelete(DeleteBehavior.Cascade);
        builder.HasOne<Deployment>().WithMany().HasForeignKey(delivery => delivery.DeploymentId).OnDelete(DeleteBehavior.Cascade);
        builder.HasIndex(delivery => delivery.NextAttemptAt).HasFilter("next_attempt_at IS NOT NULL");
        builder.HasIndex(delivery => new { delivery.TargetId, delivery.DeploymentId, delivery.Event }).IsUnique();
    }
}
