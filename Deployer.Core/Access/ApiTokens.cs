using Deployer.Core.Apps;
using Deployer.Core.Audit;
using Deployer.Core.Data;
using Microsoft.EntityFrameworkCore;
using NodaTime;

namespace Deployer.Core.Access;

/// <summary>An API token as the owner sees it; the token itself is not in it.</summary>
public sealed record ApiTokenView(
    long Id, string Name, string Prefix, AccessRole Role, string? Environment, string? App,
    string CreatedBy, Instant CreatedAt, Instant? ExpiresAt, Instant? LastUsedAt);

/// <summary>A token to make.</summary>
/// <param name="Name">What it is for, 1–100 characters.</param>
/// <param name="Role">Its role.</param>
/// <param name="Environment">Environment in which it holds; <see langword="null"/> for every one.</param>
/// <param name="App">App for which it holds; <see langword="null"/> for every one.</param>
/// <param name="Lifetime">How long it works; <see langword="null"/> for ever.</param>
public sealed record ApiTokenDraft(string Name, AccessRole Role, string? Environment, string? App, Duration? Lifetime);

/// <summary>A token just made.</summary>
/// <param name="View">What is kept of it.</param>
/// <param name="Token">The token itself, to be shown once.</param>
public sealed record NewApiToken(ApiTokenView View, string Token);

/// <summary>Makes, lists and revokes API tokens. For owners alone.</summary>
public sealed class ApiTokens(IDbContextFactory<DeployerDb> databases, AuditLog audit, AccessFeed feed, TimeProvider time)
{
    /// <summary>How every token begins, so that secret scanners know one when they see it.</summary>
    public const string Prefix = "dpl_";

    /// <summary>Longest name.</summary>
    public const int MaxNameLength = 100;

    /// <summary>Longest time that a token with an end may work.</summary>
    public static readonly Duration MaxLifetime = Duration.FromDays(3650);

    /// <summary>Tokens that are not revoked, newest first.</summary>
    /// <exception cref="AccessDeniedException">The caller is no owner.</exception>
    public async Task<IReadOnlyList<ApiTokenView>> ListAsync(Actor actor, CancellationToken cancellationToken)
    {
        actor.DemandEverywhere(AccessRole.Owner);
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        return await db.Set<ApiToken>().AsNoTracking().Where(token => token.RevokedAt == null)
            .OrderByDescending(token => token.Id).Select(token => View(token)).ToListAsync(cancellationToken);
    }

    /// <summary>What is wrong with a draft, by field; empty when nothing is.</summary>
    public async Task<IReadOnlyDictionary<string, string[]>> CheckAsync(ApiTokenDraft draft, CancellationToken cancellationToken)
    {
        var errors = new FieldErrors();
        if (draft.Name.Trim() is not { Length: >= 1 and <= MaxNameLength } name || name.Any(char.IsControl))
        {
            errors.Add("name", $"Say in 1 to {MaxNameLength} characters what the token is for, e.g. CI of the shop.");
        }
        else if (string.Equals(name, BootstrapName, StringComparison.Ordinal))
        {
            errors.Add("name", "This name is kept for the token of Auth:BootstrapToken; choose another.");
        }

        if (draft.Environment is { } environment && !AppValidation.IsLabel(environment))
        {
            errors.Add("environment", $"'{FieldErrors.Show(environment)}' is no environment name. {AppValidation.DnsLabelRule}");
        }

        if (draft.Role == AccessRole.Owner && (draft.Environment ?? draft.App) is not null)
        {
            errors.Add("role", "An owner owns the whole installation. Leave environment and app out, or choose another role.");
        }

        if (draft.Lifetime is { } lifetime && (lifetime <= Duration.Zero || lifetime > MaxLifetime))
        {
            errors.Add("expires_in_days", $"A token works for 1 to {MaxLifetime.Days} days, or without end when this is left out.");
        }

        if (draft.App is { } app)
        {
            await using var db = await databases.CreateDbContextAsync(cancellationToken);
            var found = await db.Apps.Where(row => row.Name == app).Select(row => row.Environment).FirstOrDefaultAsync(cancellationToken);
            if (found is null)
            {
                errors.Add("app", $"There is no app '{FieldErrors.Show(app)}'; GET /api/apps lists them.");
            }
            else if (draft.Environment is { } wanted && !string.Equals(found, wanted, StringComparison.Ordinal))
            {
                errors.Add("environment", $"The app '{app}' is in {found}, so this token could do nothing. Leave environment out, or write {found}.");
            }
        }

        return errors.ToDictionary();
    }

    /// <summary>Makes a token. The draft has been checked.</summary>
    /// <exception cref="AccessDeniedException">The caller is no owner.</exception>
    public async Task<NewApiToken> CreateAsync(Actor actor, ApiTokenDraft draft, CancellationToken cancellationToken)
    {
        actor.DemandEverywhere(AccessRole.Owner);
        return await AddAsync(actor, draft, AccessKey.Create(Prefix), cancellationToken);
    }

    /// <summary>Revokes a token, at once and for ever.</summary>
    /// <returns>Whether there was such a token.</returns>
    /// <exception cref="AccessDeniedException">The caller is no owner.</exception>
    public async Task<bool> RevokeAsync(Actor actor, long id, CancellationToken cancellationToken)
    {
        actor.DemandEverywhere(AccessRole.Owner);
        var now = time.Now();
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        var revoked = await db.Set<ApiToken>().Where(token => token.Id == id && token.RevokedAt == null)
            .ExecuteUpdateAsync(set => set.SetProperty(token => token.RevokedAt, now), cancellationToken);
        if (revoked == 0)
        {
            return false;
        }

        var name = await db.Set<ApiToken>().Where(token => token.Id == id).Select(token => token.Name).SingleAsync(cancellationToken);
        audit.Stage(db, actor, new AuditFact(AuditAction.TokenRevoked, AuditSubject.Token(id)) { Note = name });
        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        feed.Publish();
        return true;
    }

    /// <summary>
    /// Makes the token of <c>Auth:BootstrapToken</c>, once in the life of an installation.
    /// </summary>
    /// <returns>What was done about it.</returns>
    internal async Task<BootstrapOutcome> BootstrapAsync(string token, CancellationToken cancellationToken)
    {
        var hash = AccessKey.Hash(token);
        await using (var db = await databases.CreateDbContextAsync(cancellationToken))
        {
            var earlier = await db.Set<ApiToken>().AsNoTracking()
                .Where(row => row.Name == BootstrapName || row.Hash == hash)
                .Select(row => new { Same = row.Hash == hash }).ToListAsync(cancellationToken);
            if (earlier.Count > 0)
            {
                return earlier.Exists(row => row.Same) ? BootstrapOutcome.Unchanged : BootstrapOutcome.Ignored;
            }
        }

        await AddAsync(Actor.Deployer, new ApiTokenDraft(BootstrapName, AccessRole.Owner, null, null, null), token, cancellationToken);
        return BootstrapOutcome.Created;
    }

    private const string BootstrapName = "bootstrap";

    private async Task<NewApiToken> AddAsync(Actor actor, ApiTokenDraft draft, string token, CancellationToken cancellationToken)
    {
        var now = time.Now();
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        var row = new ApiToken
        {
            Name = draft.Name.Trim(),
            Hash = AccessKey.Hash(token),
            Prefix = token[..Math.Min(8, token.Length / 4)],
            Role = draft.Role,
            Environment = draft.Environment,
            App = draft.App,
            CreatedBy = actor.Name,
            CreatedAt = now,
            ExpiresAt = draft.Lifetime is { } lifetime ? now + lifetime : null,
        };
        db.Add(row);
        await db.SaveChangesAsync(cancellationToken);
        audit.Stage(db, actor, new AuditFact(AuditAction.TokenCreated, AuditSubject.Token(row.Id))
        {
            Environment = draft.Environment,
            After = new { row.Name, row.Role, row.Environment, row.App, row.ExpiresAt },
        });
        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return new NewApiToken(View(row), token);
    }

    private static ApiTokenView View(ApiToken token) => new(
        token.Id, token.Name, token.Prefix, token.Role, token.Environment, token.App,
        token.CreatedBy, token.CreatedAt, token.ExpiresAt, token.LastUsedAt);
}

/// <summary>What was done about <c>Auth:BootstrapToken</c>.</summary>
internal enum BootstrapOutcome
{
    /// <summary>The token was made.</summary>
    Created,

    /// <summary>It exists already.</summary>
    Unchanged,

    /// <summary>Another one was made at an earlier start; the setting has no effect any more.</summary>
    Ignored,
}
