using Deployer.Core.Apps;
using Deployer.Core.Deployments;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Deployer.Core.Data;

internal sealed class AppConfiguration : IEntityTypeConfiguration<App>
{
    public void Configure(EntityTypeBuilder<App> builder)
    {
        builder.ToTable("apps");
        builder.Property(app => app.Id).HasColumnName("id");
        builder.Property(app => app.Name).HasColumnName("name").HasMaxLength(63);
        builder.Property(app => app.Environment).HasColumnName("environment").HasMaxLength(63);
        builder.Property(app => app.Spec).HasColumnName("spec");
        builder.Property(app => app.CurrentDeploymentId).HasColumnName("current_deployment_id");
        builder.Property(app => app.StoppedAt).HasColumnName("stopped_at");
        builder.Property(app => app.CreatedAt).HasColumnName("created_at");
        builder.Property(app => app.UpdatedAt).HasColumnName("updated_at");
        builder.HasIndex(app => app.Name).IsUnique();
    }
}

internal sealed class DeploymentConfiguration : IEntityTypeConfiguration<Deployment>
{
    public void Configure(EntityTypeBuilder<Deployment> builder)
    {
        builder.ToTable("deployments");
        builder.Property(deployment => deployment.Id).HasColumnName("id");
        builder.Property(deployment => deployment.AppId).HasColumnName("app_id");
        builder.Property(deployment => deployment.Number).HasColumnName("number");
        builder.Property(deployment => deployment.Status).HasColumnName("status");
        builder.Property(deployment => deployment.Spec).HasColumnName("spec");
        builder.Property(deployment => deployment.Digest).HasColumnName("digest");
        builder.Property(deployment => deployment.ContainerId).HasColumnName("container_id");
        builder.Property(deployment => deployment.ImageId).HasColumnName("image_id");
        builder.Property(deployment => deployment.Ports).HasColumnName("ports");
        builder.Property(deployment => deployment.PreviousDeploymentId).HasColumnName("previous_deployment_id");
        builder.Property(deployment => deployment.PreviousContainerId).HasColumnName("previous_container_id");
        builder.Property(deployment => deployment.SwitchedAt).HasColumnName("switched_at");
        builder.Property(deployment => deployment.UndoPending).HasColumnName("undo_pending");
        builder.Property(deployment => deployment.Failure).HasColumnName("failure");
        builder.Property(deployment => deployment.Reason).HasColumnName("reason").HasMaxLength(1000);
        builder.Property(deployment => deployment.RequestedBy).HasColumnName("requested_by").HasMaxLength(256);
        builder.Property(deployment => deployment.IdempotencyKey).HasColumnName("idempotency_key").HasMaxLength(255);
        builder.Property(deployment => deployment.CancelRequestedAt).HasColumnName("cancel_requested_at");
        builder.Property(deployment => deployment.CancelRequestedBy).HasColumnName("cancel_requested_by").HasMaxLength(256);
        builder.Property(deployment => deployment.WithdrawnAt).HasColumnName("withdrawn_at");
        builder.Property(deployment => deployment.SupersededBy).HasColumnName("superseded_by");
        builder.Property(deployment => deployment.RestoredFrom).HasColumnName("restored_from");
        builder.Property(deployment => deployment.OverriddenFreeze).HasColumnName("overridden_freeze").HasMaxLength(1000);
        builder.Property(deployment => deployment.SealedSecrets).HasColumnName("sealed_secrets");
        builder.Property(deployment => deployment.Worker).HasColumnName("worker").HasMaxLength(256);
        builder.Property(deployment => deployment.LeaseUntil).HasColumnName("lease_until");
        builder.Property(deployment => deployment.CreatedAt).HasColumnName("created_at");
        builder.Property(deployment => deployment.StartedAt).HasColumnName("started_at");
        builder.Property(deployment => deployment.EndedAt).HasColumnName("ended_at");
        builder.Property(deployment => deployment.Pinned).HasColumnName("pinned");
        builder.Property(deployment => deployment.LogRemovedAt).HasColumnName("log_removed_at");
        builder.HasOne<App>().WithMany().HasForeignKey(deployment => deployment.AppId).OnDelete(DeleteBehavior.Cascade);
        builder.HasMany(deployment => deployment.Steps).WithOne().HasForeignKey(step => step.DeploymentId);
        builder.HasIndex(deployment => new { deployment.AppId, deployment.Number }).IsUnique();
        builder.HasIndex(deployment => new { deployment.Status, deployment.Id });
        builder.HasIndex(deployment => new { deployment.AppId, deployment.IdempotencyKey }).IsUnique();

        // For figures about a range of time, which need no more of a row than this.
        builder.HasIndex(deployment => new { deployment.EndedAt, deployment.Status, deployment.AppId, deployment.StartedAt });
        builder.HasIndex(deployment => new { deployment.AppId, deployment.Status, deployment.EndedAt });

        // One running deployment per app, whatever the runners think.
        builder.HasIndex(deployment => deployment.AppId).IsUnique().HasFilter("status = 1")
            .HasDatabaseName("ix_deployments_one_running_per_app");
    }
}

internal sealed class DeploymentStepConfiguration : IEntityTypeConfiguration<DeploymentStep>
{
    public void Configure(EntityTypeBuilder<DeploymentStep> builder)
    {
        builder.ToTable("deployment_steps");
        builder.HasKey(step => new { step.DeploymentId, step.Kind });
        builder.Property(step => step.DeploymentId).HasColumnName("deployment_id");
        builder.Property(step => step.Kind).HasColumnName("kind");
        builder.Property(step => step.State).HasColumnName("state");
        builder.Property(step => step.StartedAt).HasColumnName("started_at");
        builder.Property(step => step.EndedAt).HasColumnName("ended_at");
    }
}
