using Deployer.Core.Apps;
using Deployer.Core.Data;
using Deployer.Core.Deployments;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using NodaTime;

namespace Deployer.Core.Webhooks;

/// <summary>One row of <c>webhooks</c>: how registries and repositories may deploy an app.</summary>
public sealed class Webhook
{
    /// <summary>The app; an app has one webhook at most.</summary>
    public required long AppId { get; init; }

    /// <summary>The signing secret, encrypted: it is needed in the clear to check signatures.</summary>
    public required byte[] Secret { get; set; }

    /// <summary>
    /// SHA-256 of the key which senders that cannot sign put into the address; <see langword="null"/> when only signed
    /// deliveries are taken.
    /// </summary>
    public byte[]? AddressKeyHash { get; set; }

    /// <summary>Which tags deploy, with <c>*</c> for any characters; <see langword="null"/> for the app's own tag alone.</summary>
    public string? Tags { get; set; }

    /// <summary>Who made it.</summary>
    public required string CreatedBy { get; init; }

    /// <summary>When.</summary>
    public required Instant CreatedAt { get; init; }
}

/// <summary>One row of <c>webhook_deliveries</c>: a delivery that was genuine. Kept for ever, so that none counts twice.</summary>
public sealed class WebhookDelivery
{
    /// <summary>Database key.</summary>
    public long Id { get; init; }

    /// <summary>The app.</summary>
    public required long AppId { get; init; }

    /// <summary>SHA-256 of the body. Senders put times and ids into it, so the same body is the same delivery.</summary>
    public required byte[] BodyHash { get; init; }

    /// <summary>Who sent it, by the form of its body.</summary>
    public required string Source { get; init; }

    /// <summary>When it came first.</summary>
    public required Instant ReceivedAt { get; init; }

    /// <summary>What came of it, in plain words.</summary>
    public string? Outcome { get; set; }

    /// <summary>The deployment it caused, if any.</summary>
    public long? DeploymentId { get; set; }
}

internal sealed class WebhookConfiguration : IEntityTypeConfiguration<Webhook>
{
    public void Configure(EntityTypeBuilder<Webhook> builder)
    {
        builder.ToSnakeCaseTable("webhooks");
        builder.HasKey(webhook => webhook.AppId);
        builder.Property(webhook => webhook.AppId).ValueGeneratedNever();
        builder.Property(webhook => webhook.Tags).HasMaxLength(256);
        builder.Property(webhook => webhook.CreatedBy).HasMaxLength(256);
        builder.HasOne<App>().WithOne().HasForeignKey<Webhook>(webhook => webhook.AppId).OnDelete(DeleteBehavior.Cascade);
    }
}

internal sealed class WebhookDeliveryConfiguration : IEntityTypeConfiguration<WebhookDelivery>
{
    public void Configure(EntityTypeBuilder<WebhookDelivery> builder)
    {
        builder.ToSnakeCaseTable("webhook_deliveries");
        builder.Property(delivery => delivery.Source).HasMaxLength(64);
        builder.Property(delivery => delivery.Outcome).HasMaxLength(500);
        builder.HasOne<App>().WithMany().HasForeignKey(delivery => delivery.AppId).OnDelete(DeleteBehavior.Cascade);
        builder.HasOne<Deployment>().WithMany().HasForeignKey(delivery => delivery.DeploymentId).OnDelete(DeleteBehavior.SetNull);
        builder.HasIndex(delivery => new { delivery.AppId, delivery.BodyHash }).IsUnique();
    }
}
