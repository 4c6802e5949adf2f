using Deployer.Core.Apps;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using NodaTime;

namespace Deployer.Core.Secrets;

/// <summary>One row of <c>app_secrets</c>: the value of a secret environment variable of an app, encrypted.</summary>
public sealed class AppSecret
{
    /// <summary>The app.</summary>
    public long AppId { get; init; }

    /// <summary>Name of the environment variable.</summary>
    public required string Name { get; init; }

    /// <summary>The value as <see cref="SecretVault"/> sealed it.</summary>
    public required string SealedValue { get; init; }

    /// <summary>When it was stored.</summary>
    public required Instant UpdatedAt { get; init; }
}

internal sealed class AppSecretConfiguration : IEntityTypeConfiguration<AppSecret>
{
    public void Configure(EntityTypeBuilder<AppSecret> builder)
    {
        builder.ToTable("app_secrets");
        builder.HasKey(secret => new { secret.AppId, secret.Name });
        builder.Property(secret => secret.AppId).HasColumnName("app_id");
        builder.Property(secret => secret.Name).HasColumnName("name").HasMaxLength(256);
        builder.Property(secret => secret.SealedValue).HasColumnName("sealed_value");
        builder.Property(secret => secret.UpdatedAt).HasColumnName("updated_at");
        builder.HasOne<App>().WithMany().HasForeignKey(secret => secret.AppId).OnDelete(DeleteBehavior.Cascade);
    }
}
