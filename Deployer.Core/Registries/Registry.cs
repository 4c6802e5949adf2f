using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using NodaTime;

namespace Deployer.Core.Registries;

/// <summary>One row of <c>registries</c>: credentials for a registry, the password encrypted.</summary>
public sealed class Registry
{
    /// <summary>Host, with port where it has one, as in image references: <c>registry.example.com:5000</c>. Unique.</summary>
    public required string Host { get; init; }

    /// <summary>User name.</summary>
    public required string UserName { get; init; }

    /// <summary>Password or token, as <see cref="Secrets.SecretVault"/> sealed it.</summary>
    public required string SealedPassword { get; init; }

    /// <summary>When the credentials were stored.</summary>
    public required Instant UpdatedAt { get; init; }
}

internal sealed class RegistryConfiguration : IEntityTypeConfiguration<Registry>
{
    public void Configure(EntityTypeBuilder<Registry> builder)
    {
        builder.ToTable("registries");
        builder.HasKey(registry => registry.Host);
        builder.Property(registry => registry.Host).HasColumnName("host").HasMaxLength(300);
        builder.Property(registry => registry.UserName).HasColumnName("user_name").HasMaxLength(256);
        builder.Property(registry => registry.SealedPassword).HasColumnName("sealed_password");
        builder.Property(registry => registry.UpdatedAt).HasColumnName("updated_at");
    }
}
