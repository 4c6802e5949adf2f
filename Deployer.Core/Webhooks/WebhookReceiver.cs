using System.Security.Cryptography;
using System.Text.Json;
using Deployer.Core.Access;
using Deployer.Core.Audit;
using Deployer.Core.Data;
using Deployer.Core.Deployments;
using Deployer.Core.Engine;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using NodaTime;

namespace Deployer.Core.Webhooks;

/// <summary>A delivery as it came.</summary>
/// <param name="App">The app that the address names.</param>
/// <param name="Proof">What the sender shows.</param>
/// <param name="Body">The body, byte for byte.</param>
/// <param name="Address">Network address of the sender.</param>
public sealed record IncomingDelivery(string App, WebhookProof Proof, ReadOnlyMemory<byte> Body, string? Address);

/// <summary>What became of a delivery.</summary>
public abstract record WebhookResult
{
    private WebhookResult()
    {
    }

    /// <summary>The signature or key is wrong, or the app has no webhook; which of them, nobody is told.</summary>
    public sealed record NotGenuine : WebhookResult;

    /// <summary>The body has none of the known forms.</summary>
    /// <param name="Why">What is wrong with it.</param>
    public sealed record Unreadable(string Why) : WebhookResult;

    /// <summary>It tells of something too long ago, or yet to come: somebody may have kept it to send it at their own time.</summary>
    /// <param name="At">When it says that it happened.</param>
    public sealed record Stale(Instant At) : WebhookResult;

    /// <summary>It caused a deployment, now or when the same delivery came before.</summary>
    /// <param name="DeploymentId">The deployment.</param>
    /// <param name="Outcome">In plain words.</param>
    /// <param name="IsRepeat">Whether it came before.</param>
    public sealed record Deployed(long DeploymentId, string Outcome, bool IsRepeat) : WebhookResult;

    /// <summary>It is genuine and caused nothing.</summary>
    /// <param name="Outcome">Why not, in plain words.</param>
    /// <param name="IsRepeat">Whether it came before.</param>
    public sealed record Ignored(string Outcome, bool IsRepeat) : WebhookResult;
}

/// <summary>
/// Takes deliveries of registries and repositories. The same body counts once, for ever: the headers around it, a delivery
/// id among them, are not signed, so the body itself is the id.
/// </summary>
public sealed class WebhookReceiver(
    WebhookBook book, IDbContextFactory<DeployerDb> databases, IServiceScopeFactory scopes, TimeProvider time)
{
    // Senders try again for hours when they were turned away; and clocks differ by minutes.
    private static readonly Duration OldestNews = Duration.FromHours(24);
    private static readonly Duration ClockSkew = Duration.FromMinutes(10);

    private const int SqliteConstraint = 19;

    /// <summary>Takes a delivery.</summary>
    /// <exception cref="Secrets.SecretUnreadableException">The webhook's secret cannot be decrypted.</exception>
    public async Task<WebhookResult> ReceiveAsync(IncomingDelivery delivery, CancellationToken cancellationToken)
    {
        var webhook = await book.OpenAsync(delivery.App, cancellationToken);

        // Without a webhook the same is computed, so that the time does not tell which apps there are.
        var isGenuine = WebhookSignature.IsGenuine(
            delivery.Proof, delivery.Body.Span, webhook?.Secret ?? "no webhook", webhook?.AddressKeyHash ?? new byte[SHA256.HashSizeInBytes]);
        if (webhook is null || !isGenuine || (delivery.Proof.Signature is null && webhook.AddressKeyHash is null))
        {
            return new WebhookResult.NotGenuine();
        }

        if (Read(delivery.Body) is not { } news)
        {
            return new WebhookResult.Unreadable(
                "The body is none of Docker Hub, GitHub (events package and registry_package) or a CNCF distribution registry. Send their JSON unchanged.");
        }

        var now = time.Now();
        if (news.Pushes.FirstOrDefault(push => push.At is { } at && (at < now - OldestNews || at > now + ClockSkew)) is { At: { } stale })
        {
            return new WebhookResult.Stale(stale);
        }

        return await TakeAsync(delivery, webhook, news, now, cancellationToken);
    }

    private static WebhookNews? Read(ReadOnlyMemory<byte> body)
    {
        try
        {
            using var json = JsonDocument.Parse(body);
            return PushedImageReader.Read(json.RootElement);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private async Task<WebhookResult> TakeAsync(
        IncomingDelivery delivery, OpenWebhook webhook, WebhookNews news, Instant now, CancellationToken cancellationToken)
    {
        var hash = SHA256.HashData(delivery.Body.Span);
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        if (await FindAsync(db, webhook.AppId, hash, cancellationToken) is not { } row)
        {
            row = new WebhookDelivery { AppId = webhook.AppId, BodyHash = hash, Source = news.Source, ReceivedAt = now };
            db.Add(row);
            try
            {
                await db.SaveChangesAsync(cancellationToken);
            }
            catch (DbUpdateException exception) when (exception.InnerException is SqliteException { SqliteErrorCode: SqliteConstraint })
            {
                // The same delivery came twice at once: the deployment's own key keeps the two apart.
                db.ChangeTracker.Clear();
                row = await FindAsync(db, webhook.AppId, hash, cancellationToken)
                    ?? throw new InvalidOperationException("A delivery was there and is not any more.", exception);
            }
        }

        // Without an outcome, the process ended before it was known: what follows gives the same deployment.
        if (row.Outcome is { } known)
        {
            return row.DeploymentId is { } earlier
                ? new WebhookResult.Deployed(earlier, known, IsRepeat: true)
                : new WebhookResult.Ignored(known, IsRepeat: true);
        }

        var (outcome, deploymentId) = await ActAsync(delivery, webhook, news, Convert.ToHexStringLower(hash), cancellationToken);
        await db.Set<WebhookDelivery>().Where(other => other.Id == row.Id)
            .ExecuteUpdateAsync(
                set => set.SetProperty(other => other.Outcome, outcome).SetProperty(other => other.DeploymentId, deploymentId), CancellationToken.None);
        return deploymentId is { } made
            ? new WebhookResult.Deployed(made, outcome, IsRepeat: false)
            : new WebhookResult.Ignored(outcome, IsRepeat: false);
    }

    private static Task<WebhookDelivery?> FindAsync(DeployerDb db, long appId, byte[] hash, CancellationToken cancellationToken) =>
        db.Set<WebhookDelivery>().AsNoTracking().FirstOrDefaultAsync(row => row.AppId == appId && row.BodyHash == hash, cancellationToken);

    private async Task<(string Outcome, long? DeploymentId)> ActAsync(
        IncomingDelivery delivery, OpenWebhook webhook, WebhookNews news, string key, CancellationToken cancellationToken)
    {
        if (!ImageReference.TryParse(webhook.Image, out var own, out _))
        {
            return ("The app's image is no image reference.", null);
        }

        if (news.Pushes.Count == 0)
        {
            return ("A trial delivery, or news of something else than a tag: nothing to deploy.", null);
        }

        var ofOwn = news.Pushes.Where(push => push.Path == own.Path && (push.Domain is null || push.Domain == own.Domain)).ToList();
        if (ofOwn.Count == 0)
        {
            return (Cut($"It is about {news.Pushes[^1].Path}, and the app runs {own.Repository}."), null);
        }

        var ownTag = own.Tag ?? ImageReference.DefaultTag;
        if (ofOwn.FindLast(push => WebhookTags.Matches(webhook.Tags, ownTag, push.Tag)) is not { } push)
        {
            return (Cut($"The tag {ofOwn[^1].Tag} is none of {webhook.Tags ?? ownTag}."), null);
        }

        // Nothing but the tag is taken from outside; where it is pulled from, the app says.
        return ImageReference.TryParse($"{own.Repository}:{push.Tag}", out var reference, out var error)
            ? await DeployAsync(delivery, webhook, news.Source, reference.ShortName, key, cancellationToken)
            : (Cut(error.Message), null);
    }

    private async Task<(string Outcome, long? DeploymentId)> DeployAsync(
        IncomingDelivery delivery, OpenWebhook webhook, string source, string image, string key, CancellationToken cancellationToken)
    {
        var actor = new Actor(
            ActorKind.Webhook, $"webhook:{webhook.AppId}", $"webhook ({source})", delivery.Address,
            [new AccessGrant(AccessRole.Deployer, webhook.Environment, delivery.App)]);
        var request = new DeploymentRequest(image, $"{image} was pushed", actor.Name, $"webhook-{key}");
        await using var scope = scopes.CreateAsyncScope();
        var gate = scope.ServiceProvider.GetRequiredService<DeploymentGate>();
        return await gate.EnqueueAsync(actor, delivery.App, request, AuditAction.DeploymentRequested, cancellationToken) switch
        {
            EnqueueResult.Queued queued => ($"Deploys {image} as #{queued.Deployment.Number}.", queued.Deployment.Id),
            EnqueueResult.Replayed replayed => ($"Deploys {image} as #{replayed.Deployment.Number}.", replayed.Deployment.Id),
            EnqueueResult.Frozen frozen => (Cut($"Nothing is deployed to {frozen.Environment} until {Rfc3339.Format(frozen.Until)}: {frozen.Reason}"), null),
            EnqueueResult.ImageInvalid invalid => (Cut(invalid.Message), null),
            _ => ("The app is not there any more.", null),
        };
    }

    private static string Cut(string outcome) => outcome.Length <= 500 ? outcome : outcome[..499] + "…";
}
