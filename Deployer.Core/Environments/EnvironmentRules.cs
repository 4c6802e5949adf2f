using Deployer.Core.Data;
using Deployer.Core.Deployments;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using NodaTime;

namespace Deployer.Core.Environments;

/// <summary>
/// One row of <c>environments</c>: the rules under which apps run there. An environment without a row has none: it is
/// not protected and never frozen.
/// </summary>
public sealed class EnvironmentRules
{
    /// <summary>The highest limit of <see cref="MaxConcurrent"/>.</summary>
    public const int HighestLimit = 256;

    /// <summary>Database key.</summary>
    public long Id { get; init; }

    /// <summary>Unique name, e.g. <c>production</c>: a DNS label.</summary>
    public required string Name { get; init; }

    /// <summary>Whether a deployment waits for a second person's approval.</summary>
    public bool Protected { get; set; }

    /// <summary>Most deployments that run there at the same time; <see langword="null"/> for no limit.</summary>
    public int? MaxConcurrent { get; set; }

    /// <summary>When the rules were made.</summary>
    public required Instant CreatedAt { get; init; }
}

/// <summary>One row of <c>freeze_windows</c>: a time in which nothing is deployed to an environment.</summary>
public sealed class FreezeWindow
{
    /// <summary>Database key.</summary>
    public long Id { get; init; }

    /// <summary>Name of the environment.</summary>
    public required string Environment { get; init; }

    /// <summary>First instant of the freeze.</summary>
    public required Instant StartsAt { get; init; }

    /// <summary>First instant after the freeze.</summary>
    public required Instant EndsAt { get; init; }

    /// <summary>Why.</summary>
    public required string Reason { get; init; }

    /// <summary>Who set it.</summary>
    public required string CreatedBy { get; init; }
}

/// <summary>
/// One row of <c>deployment_approvals</c>: a deployment to a protected environment, which the runner does not claim
/// before <see cref="ApprovedAt"/> is set.
/// </summary>
public sealed class DeploymentApproval
{
    /// <summary>The deployment.</summary>
    public required long DeploymentId { get; init; }

    /// <summary>Id of whoever asked for the deployment, who may not approve it.</summary>
    public required string RequestedById { get; init; }

    /// <summary>When it was approved; <see langword="null"/> while it waits.</summary>
    public Instant? ApprovedAt { get; init; }

    /// <summary>Id of whoever approved.</summary>
    public string? ApprovedById { get; init; }

    /// <summary>Name of whoever approved.</summary>
    public string? ApprovedBy { get; init; }

    /// <summary>Why, in the approver's words.</summary>
    public string? Reason { get; init; }
}

internal sealed class EnvironmentRulesConfiguration : IEntityTypeConfiguration<EnvironmentRules>
{
    public void Configure(EntityTypeBuilder<EnvironmentRules> builder)
    {
        builder.ToSnakeCaseTable("environments");
        builder.Property(rules => rules.Name).HasMaxLength(63);
        builder.HasIndex(rules => rules.Name).IsUnique();
    }
}

internal sealed class FreezeWindowConfiguration : IEntityTypeConfiguration<FreezeWindow>
{
    public void Configure(EntityTypeBuilder<FreezeWindow> builder)
    {
        builder.ToSnakeCaseTable("freeze_windows");
        builder.Property(window => window.Environment).HasMaxLength(63);
        builder.Property(window => window.Reason).HasMaxLength(1000);
        builder.Property(window => window.CreatedBy).HasMaxLength(256);
        builder.HasIndex(window => new { window.Environment, window.EndsAt });
    }
}

internal sealed class DeploymentApprovalConfiguration : IEntityTypeConfiguration<DeploymentApproval>
{
    public void Configure(EntityTypeBuilder<DeploymentApproval> builder)
    {
        builder.ToSnakeCaseTable("deployment_approvals");
        builder.HasKey(approval => approval.DeploymentId);
        builder.Property(approval => approval.DeploymentId).ValueGeneratedNever();
        builder.Property(approval => approval.RequestedById).HasMaxLength(256);
        builder.Property(approval => approval.ApprovedById).HasMaxLength(256);
        builder.Property(approval => approval.ApprovedBy).HasMaxLength(256);
        builder.Property(approval => approval.Reason).HasMaxLength(1000);
        builder.HasOne<Deployment>().WithOne().HasForeignKey<DeploymentApproval>(approval => approval.DeploymentId)
            .OnDelete(DeleteBehavior.Cascade);
    }
}
