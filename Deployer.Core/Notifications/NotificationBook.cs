using System.Text;
using Deployer.Core.Access;
using Deployer.Core.Apps;
using Deployer.Core.Audit;
using Deployer.Core.Data;
using Deployer.Core.Secrets;
using Microsoft.EntityFrameworkCore;
using NodaTime;

namespace Deployer.Core.Notifications;

/// <summary>A target as it may be shown.</summary>
/// <param name="Id">Id.</param>
/// <param name="Name">What it is called.</param>
/// <param name="Kind">How notifications travel.</param>
/// <param name="Address">Scheme and host, or the e-mail address; the rest of a web address is a key and is not shown.</param>
/// <param name="App">The app it is about; <see langword="null"/> for every one.</param>
/// <param name="Environment">The environment it is about; <see langword="null"/> for every one.</param>
/// <param name="Events">Of which events it tells.</param>
/// <param name="CreatedBy">Who made it.</param>
/// <param name="CreatedAt">When.</param>
public sealed record NotificationTargetView(
    long Id, string Name, NotificationKind Kind, string Address, string? App, string? Environment, IReadOnlyList<NotificationEvents> Events,
    string CreatedBy, Instant CreatedAt);

/// <summary>A target to make.</summary>
/// <param name="Name">What it is called.</param>
/// <param name="Kind">How notifications travel.</param>
/// <param name="Address">Web or e-mail address.</param>
/// <param name="App">The app it is about; <see langword="null"/> for every one.</param>
/// <param name="Environment">The environment it is about; <see langword="null"/> for every one.</param>
/// <param name="Events">Of which events it tells.</param>
public sealed record NotificationTargetDraft(
    string? Name, NotificationKind? Kind, string? Address, string? App, string? Environment, NotificationEvents Events);

/// <summary>A delivery in the log.</summary>
/// <param name="Id">Id.</param>
/// <param name="Target">Name of the target.</param>
/// <param name="DeploymentId">The deployment it is about.</param>
/// <param name="Event">What happened.</param>
/// <param name="CreatedAt">When.</param>
/// <param name="Attempts">How often it was tried.</param>
/// <param name="NextAttemptAt">When it is tried next; <see langword="null"/> once delivered or given up.</param>
/// <param name="DeliveredAt">When it was delivered.</param>
/// <param name="LastError">What the last attempt met.</param>
public sealed record NotificationDeliveryView(
    long Id, string Target, long DeploymentId, NotificationEvents Event, Instant CreatedAt, int Attempts, Instant? NextAttemptAt,
    Instant? DeliveredAt, string? LastError);

/// <summary>A target with what is needed to send to it.</summary>
internal sealed record OpenTarget(NotificationKind Kind, string Address, string? Secret);

/// <summary>Who hears of what: made, listed, removed.</summary>
public sealed class NotificationBook(IDbContextFactory<DeployerDb> databases, SecretVault vault, AuditLog audit, TimeProvider time)
{
    private const string AddressPurpose = "notification-address";
    private const string SecretPurpose = "notification-secret";
    private const string SecretPrefix = "dpn_";
    private const int MaxNameLength = 100;
    private const int MaxAddressLength = 2048;

    /// <summary>Every target, by name, with the environment that decides who may see it.</summary>
    internal async Task<IReadOnlyList<(NotificationTargetView View, string? Environment)>> ListAsync(CancellationToken cancellationToken)
    {
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        var rows = await (from target in db.Set<NotificationTarget>().AsNoTracking()
                          join app in db.Apps on target.AppId equals app.Id into apps
                          from app in apps.DefaultIfEmpty()
                          orderby target.Name, target.Id
                          select new { Target = target, App = (string?)app.Name, AppEnvironment = (string?)app.Environment }).ToListAsync(cancellationToken);
        return [.. rows.Select(row => (View(row.Target, row.App), row.App is null ? row.Target.Environment : row.AppEnvironment))];
    }

    /// <summary>The last deliveries to some targets, newest first.</summary>
    internal async Task<IReadOnlyList<NotificationDeliveryView>> ListDeliveriesAsync(
        IReadOnlyCollection<long> targets, int limit, CancellationToken cancellationToken)
    {
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        return await (from delivery in db.Set<NotificationDelivery>()
                      join target in db.Set<NotificationTarget>() on delivery.TargetId equals target.Id
                      where targets.Contains(target.Id)
                      orderby delivery.Id descending
                      select new NotificationDeliveryView(
                          delivery.Id, target.Name, delivery.DeploymentId, delivery.Event, delivery.CreatedAt, delivery.Attempts,
                          delivery.NextAttemptAt, delivery.DeliveredAt, delivery.LastError)).Take(limit).ToListAsync(cancellationToken);
    }

    /// <summary>What is wrong with a draft, by field; empty for nothing.</summary>
    internal static Dictionary<string, string[]> Check(NotificationTargetDraft draft)
    {
        var errors = new Dictionary<string, string[]>(StringComparer.Ordinal);
        if (string.IsNullOrWhiteSpace(draft.Name) || draft.Name.Length > MaxNameLength || draft.Name.Any(char.IsControl))
        {
            errors["name"] = [$"Give it a name of 1 to {MaxNameLength} characters, e.g. team chat."];
        }

        if (draft.Events == NotificationEvents.None)
        {
            errors["events"] = ["Name at least one event: succeeded, failed, canceled, approval_wanted."];
        }

        if (draft is { App: not null, Environment: not null })
        {
            errors["environment"] = ["Name an app or an environment, not both; an app is in one environment anyway."];
        }

        if (draft.Kind is not { } kind)
        {
            errors["kind"] = ["Say how it travels: webhook, slack, discord or email."];
        }
        else if (kind == NotificationKind.Email ? !EmailAddress.IsValid(draft.Address) : Web(draft.Address) is null)
        {
            errors["address"] = [kind == NotificationKind.Email
                ? "This is no e-mail address; write it as ann@example.com."
                : $"This is no web address; write it as https://chat.example.com/hooks/…, at most {MaxAddressLength} characters, without user name."];
        }

        return errors;
    }

    /// <summary>Makes a target.</summary>
    /// <returns>The target, and the signing secret of a webhook, to be shown once; <see langword="null"/> for an unknown app.</returns>
    internal async Task<(NotificationTargetView View, string? Secret)?> AddAsync(
        Actor actor, NotificationTargetDraft draft, CancellationToken cancellationToken)
    {
        var kind = draft.Kind!.Value;
        var address = draft.Address!.Trim();
        var secret = kind == NotificationKind.Webhook ? AccessKey.Create(SecretPrefix) : null;
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        var app = draft.App is null ? null : await db.Apps.AsNoTracking().FirstOrDefaultAsync(row => row.Name == draft.App, cancellationToken);
        if (app is null && draft.App is not null)
        {
            return null;
        }

        var row = new NotificationTarget
        {
            Name = draft.Name!.Trim(),
            Kind = kind,
            AppId = app?.Id,
            Environment = draft.Environment,
            Events = draft.Events,
            Address = Encoding.UTF8.GetBytes(vault.Seal(AddressPurpose, address)),
            AddressShown = Shown(kind, address),
            Secret = secret is null ? null : Encoding.UTF8.GetBytes(vault.Seal(SecretPurpose, secret)),
            CreatedBy = actor.Name,
            CreatedAt = time.Now(),
        };
        db.Add(row);
        await db.SaveChangesAsync(cancellationToken);
        audit.Stage(db, actor, new AuditFact(AuditAction.NotificationTargetAdded, AuditSubject.NotificationTarget(row.Id))
        {
            Environment = app?.Environment ?? row.Environment,
            After = new { row.Name, row.Kind, address = row.AddressShown, app = app?.Name, row.Environment, row.Events },
        });
        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return (View(row, app?.Name), secret);
    }

    /// <summary>Removes a target and its deliveries.</summary>
    internal async Task RemoveAsync(Actor actor, NotificationTargetView target, string? environment, CancellationToken cancellationToken)
    {
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        await db.Set<NotificationTarget>().Where(row => row.Id == target.Id).ExecuteDeleteAsync(cancellationToken);
        audit.Stage(db, actor, new AuditFact(AuditAction.NotificationTargetRemoved, AuditSubject.NotificationTarget(target.Id))
        {
            Environment = environment,
            Before = new { target.Name, target.Kind, target.Address, target.App, target.Environment },
        });
        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
    }

    /// <summary>What is needed to send to a target; <see langword="null"/> when it is gone.</summary>
    /// <exception cref="SecretUnreadableException">Its address cannot be decrypted.</exception>
    internal async Task<OpenTarget?> OpenAsync(long id, CancellationToken cancellationToken)
    {
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        return await db.Set<NotificationTarget>().AsNoTracking().FirstOrDefaultAsync(row => row.Id == id, cancellationToken) is { } target
            ? new OpenTarget(
                target.Kind,
                vault.Open(AddressPurpose, Encoding.UTF8.GetString(target.Address)),
                target.Secret is { } secret ? vault.Open(SecretPurpose, Encoding.UTF8.GetString(secret)) : null)
            : null;
    }

    private static NotificationTargetView View(NotificationTarget target, string? app) => new(
        target.Id, target.Name, target.Kind, target.AddressShown, app, target.Environment,
        [.. Enum.GetValues<NotificationEvents>().Where(one => one != NotificationEvents.None && target.Events.HasFlag(one))],
        target.CreatedBy, target.CreatedAt);

    private static string Shown(NotificationKind kind, string address) =>
        kind == NotificationKind.Email ? address : Web(address)!.GetLeftPart(UriPartial.Authority) + "/…";

    private static Uri? Web(string? address) =>
        address is { Length: <= MaxAddressLength } && !address.Any(char.IsControl) && Uri.TryCreate(address.Trim(), UriKind.Absolute, out var uri)
            && uri is { Scheme: "http" or "https", UserInfo: "", Host.Length: > 0 and <= 200 }
            ? uri
            : null;
}
