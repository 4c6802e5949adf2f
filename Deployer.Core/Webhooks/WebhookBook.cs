using System.Text;
using Deployer.Core.Access;
using Deployer.Core.Audit;
using Deployer.Core.Data;
using Deployer.Core.Secrets;
using Microsoft.EntityFrameworkCore;
using NodaTime;

namespace Deployer.Core.Webhooks;

/// <summary>An app's webhook, without its secret.</summary>
/// <param name="Tags">Which tags deploy; <see langword="null"/> for the app's own alone.</param>
/// <param name="TakesAddressKey">Whether senders that cannot sign may show a key instead.</param>
/// <param name="CreatedBy">Who made it, or changed its secret last.</param>
/// <param name="CreatedAt">When.</param>
public sealed record WebhookView(string? Tags, bool TakesAddressKey, string CreatedBy, Instant CreatedAt);

/// <summary>A webhook just made, with what is shown this once.</summary>
/// <param name="View">What is kept.</param>
/// <param name="Secret">The signing secret.</param>
/// <param name="AddressKey">The key for senders that cannot sign; <see langword="null"/> when only signatures are taken.</param>
public sealed record NewWebhook(WebhookView View, string Secret, string? AddressKey);

/// <summary>A delivery that was genuine.</summary>
/// <param name="Id">Id.</param>
/// <param name="Source">Who sent it.</param>
/// <param name="ReceivedAt">When it came first.</param>
/// <param name="Outcome">What came of it; <see langword="null"/> while it is being dealt with.</param>
/// <param name="DeploymentId">The deployment it caused, if any.</param>
public sealed record WebhookDeliveryView(long Id, string Source, Instant ReceivedAt, string? Outcome, long? DeploymentId);

/// <summary>The webhooks of apps: made, changed and removed.</summary>
public sealed class WebhookBook(IDbContextFactory<DeployerDb> databases, SecretVault vault, AuditLog audit, TimeProvider time)
{
    private const string SecretPrefix = "dpw_";
    private const string KeyPrefix = "dpk_";
    private const string Purpose = "webhook";

    /// <summary>An app's webhook; <see langword="null"/> when it has none.</summary>
    public async Task<WebhookView?> FindAsync(string app, CancellationToken cancellationToken)
    {
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        return await Of(db, app)
            .Select(webhook => new WebhookView(webhook.Tags, webhook.AddressKeyHash != null, webhook.CreatedBy, webhook.CreatedAt))
            .FirstOrDefaultAsync(cancellationToken);
    }

    /// <summary>The last deliveries of an app, newest first.</summary>
    public async Task<IReadOnlyList<WebhookDeliveryView>> ListDeliveriesAsync(string app, int limit, CancellationToken cancellationToken)
    {
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        return await db.Set<WebhookDelivery>().Where(delivery => db.Apps.Any(row => row.Id == delivery.AppId && row.Name == app))
            .OrderByDescending(delivery => delivery.Id)
            .Select(delivery => new WebhookDeliveryView(delivery.Id, delivery.Source, delivery.ReceivedAt, delivery.Outcome, delivery.DeploymentId))
            .Take(limit)
            .ToListAsync(cancellationToken);
    }

    /// <summary>Makes an app's webhook, or gives it a new secret and key; what was known before opens nothing any more.</summary>
    /// <returns>The webhook with its secret, or <see langword="null"/> for an unknown app.</returns>
    internal async Task<NewWebhook?> RenewAsync(
        Actor actor, AccessSubject subject, string? tags, bool withAddressKey, CancellationToken cancellationToken)
    {
        var secret = AccessKey.Create(SecretPrefix);
        var key = withAddressKey ? AccessKey.Create(KeyPrefix) : null;
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        if (await db.Apps.Where(row => row.Name == subject.App).Select(row => (long?)row.Id).FirstOrDefaultAsync(cancellationToken) is not { } appId)
        {
            return null;
        }

        var known = await db.Set<Webhook>().Where(webhook => webhook.AppId == appId).ExecuteDeleteAsync(cancellationToken);
        var made = new Webhook
        {
            AppId = appId,
            Secret = Encoding.UTF8.GetBytes(vault.Seal(Purpose, secret)),
            AddressKeyHash = key is null ? null : AccessKey.Hash(key),
            Tags = tags,
            CreatedBy = actor.Name,
            CreatedAt = time.Now(),
        };
        db.Add(made);
        audit.Stage(db, actor, new AuditFact(AuditAction.WebhookChanged, AuditSubject.App(subject.App))
        {
            Environment = subject.Environment,
            After = new { tags, address_key = withAddressKey },
            Note = known == 0 ? "made" : "new secret",
        });
        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return new NewWebhook(new WebhookView(made.Tags, key is not null, made.CreatedBy, made.CreatedAt), secret, key);
    }

    /// <summary>Removes an app's webhook.</summary>
    /// <returns>Whether it had one.</returns>
    internal async Task<bool> RemoveAsync(Actor actor, AccessSubject subject, CancellationToken cancellationToken)
    {
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        if (await Of(db, subject.App).ExecuteDeleteAsync(cancellationToken) == 0)
        {
            return false;
        }

        audit.Stage(db, actor, new AuditFact(AuditAction.WebhookRemoved, AuditSubject.App(subject.App)) { Environment = subject.Environment });
        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return true;
    }

    /// <summary>An app's webhook with its secret in the clear, for checking deliveries.</summary>
    /// <exception cref="SecretUnreadableException">The secret cannot be decrypted.</exception>
    internal async Task<OpenWebhook?> OpenAsync(string app, CancellationToken cancellationToken)
    {
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        return await (from webhook in db.Set<Webhook>()
                      join row in db.Apps on webhook.AppId equals row.Id
                      where row.Name == app
                      select new { webhook, row.Environment, row.Spec }).AsNoTracking().FirstOrDefaultAsync(cancellationToken) is { } found
            ? new OpenWebhook(
                found.webhook.AppId, found.Environment, found.Spec.Image, found.webhook.Tags,
                vault.Open(Purpose, Encoding.UTF8.GetString(found.webhook.Secret)), found.webhook.AddressKeyHash)
            : null;
    }

    private static IQueryable<Webhook> Of(DeployerDb db, string app) =>
        db.Set<Webhook>().Where(webhook => db.Apps.Any(row => row.Id == webhook.AppId && row.Name == app));
}

/// <summary>A webhook as the receiver needs it.</summary>
/// <param name="AppId">The app.</param>
/// <param name="Environment">Its environment.</param>
/// <param name="Image">Its image.</param>
/// <param name="Tags">Which tags deploy.</param>
/// <param name="Secret">The signing secret.</param>
/// <param name="AddressKeyHash">Hash of the address key.</param>
internal sealed record OpenWebhook(long AppId, string Environment, string Image, string? Tags, string Secret, byte[]? AddressKeyHash);
