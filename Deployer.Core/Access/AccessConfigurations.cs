using Deployer.Core.Data;
using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Deployer.Core.Access;

// Identity's own base context reads the form of these tables from options of the running app, so that the model would
// depend on who asks for it. Mapped here, it is the same for the app, the tests and the migrations.
internal sealed class PersonConfiguration : IEntityTypeConfiguration<Person>
{
    public void Configure(EntityTypeBuilder<Person> builder)
    {
        builder.ToSnakeCaseTable("people");
        builder.Property(person => person.DisplayName).HasMaxLength(100);
        builder.Property(person => person.Email).HasMaxLength(254);
        builder.Property(person => person.NormalizedEmail).HasMaxLength(254);
        builder.Property(person => person.UserName).HasMaxLength(254);
        builder.Property(person => person.NormalizedUserName).HasMaxLength(254);
        builder.Property(person => person.ConcurrencyStamp).IsConcurrencyToken();
        builder.HasIndex(person => person.NormalizedUserName).IsUnique();
        builder.HasIndex(person => person.NormalizedEmail).IsUnique();
    }
}

internal sealed class PersonClaimConfiguration : IEntityTypeConfiguration<IdentityUserClaim<string>>
{
    public void Configure(EntityTypeBuilder<IdentityUserClaim<string>> builder)
    {
        builder.ToSnakeCaseTable("person_claims");
        builder.HasOne<Person>().WithMany().HasForeignKey(claim => claim.UserId).IsRequired();
    }
}

internal sealed class PersonLoginConfiguration : IEntityTypeConfiguration<IdentityUserLogin<string>>
{
    public void Configure(EntityTypeBuilder<IdentityUserLogin<string>> builder)
    {
        builder.HasKey(login => new { login.LoginProvider, login.ProviderKey });
        builder.ToSnakeCaseTable("person_logins");
        builder.Property(login => login.LoginProvider).HasMaxLength(128);
        builder.Property(login => login.ProviderKey).HasMaxLength(512);
        builder.HasOne<Person>().WithMany().HasForeignKey(login => login.UserId).IsRequired();
    }
}

internal sealed class PersonTokenConfiguration : IEntityTypeConfiguration<IdentityUserToken<string>>
{
    public void Configure(EntityTypeBuilder<IdentityUserToken<string>> builder)
    {
        builder.HasKey(token => new { token.UserId, token.LoginProvider, token.Name });
        builder.ToSnakeCaseTable("person_tokens");
        builder.Property(token => token.LoginProvider).HasMaxLength(128);
        builder.Property(token => token.Name).HasMaxLength(128);
        builder.HasOne<Person>().WithMany().HasForeignKey(token => token.UserId).IsRequired();
    }
}

internal sealed class PersonPasskeyConfiguration : IEntityTypeConfiguration<IdentityUserPasskey<string>>
{
    public void Configure(EntityTypeBuilder<IdentityUserPasskey<string>> builder)
    {
        builder.HasKey(passkey => passkey.CredentialId);

        // WebAuthn Level 3, 5.1: a credential id has at most 1023 bytes.
        builder.Property(passkey => passkey.CredentialId).HasMaxLength(1023);
        builder.OwnsOne(passkey => passkey.Data).ToJson("data");
        builder.ToSnakeCaseTable("person_passkeys");
        builder.HasOne<Person>().WithMany().HasForeignKey(passkey => passkey.UserId).IsRequired();
    }
}

internal sealed class PersonGrantConfiguration : IEntityTypeConfiguration<PersonGrant>
{
    public void Configure(EntityTypeBuilder<PersonGrant> builder)
    {
        builder.ToSnakeCaseTable("person_grants");
        builder.Property(grant => grant.Environment).HasMaxLength(63);
        builder.HasOne<Person>().WithMany().HasForeignKey(grant => grant.PersonId).OnDelete(DeleteBehavior.Cascade);
        builder.HasIndex(grant => new { grant.PersonId, grant.Environment }).IsUnique();

        // SQL holds two nulls to be different: the grant for every environment needs its own rule.
        builder.HasIndex(grant => grant.PersonId).IsUnique().HasFilter("environment IS NULL")
            .HasDatabaseName("ix_person_grants_one_for_every_environment");
    }
}

internal sealed class SessionConfiguration : IEntityTypeConfiguration<Session>
{
    public void Configure(EntityTypeBuilder<Session> builder)
    {
        builder.ToSnakeCaseTable("sessions");
        builder.Property(session => session.Address).HasMaxLength(64);
        builder.Property(session => session.UserAgent).HasMaxLength(256);
        builder.HasOne<Person>().WithMany().HasForeignKey(session => session.PersonId).OnDelete(DeleteBehavior.Cascade);
        builder.HasIndex(session => session.KeyHash).IsUnique();
        builder.HasIndex(session => session.ExpiresAt);
    }
}

internal sealed class InvitationConfiguration : IEntityTypeConfiguration<Invitation>
{
    public void Configure(EntityTypeBuilder<Invitation> builder)
    {
        builder.ToSnakeCaseTable("invitations");
        builder.Property(invitation => invitation.Email).HasMaxLength(254);
        builder.Property(invitation => invitation.Environment).HasMaxLength(63);
        builder.Property(invitation => invitation.CreatedBy).HasMaxLength(256);
        builder.HasIndex(invitation => invitation.KeyHash).IsUnique();
    }
}

internal sealed class ApiTokenConfiguration : IEntityTypeConfiguration<ApiToken>
{
    public void Configure(EntityTypeBuilder<ApiToken> builder)
    {
        builder.ToSnakeCaseTable("api_tokens");
        builder.Property(token => token.Name).HasMaxLength(100);
        builder.Property(token => token.Prefix).HasMaxLength(16);
        builder.Property(token => token.Environment).HasMaxLength(63);
        builder.Property(token => token.App).HasMaxLength(63);
        builder.Property(token => token.CreatedBy).HasMaxLength(256);
        builder.HasIndex(token => token.Hash).IsUnique();
    }
}
