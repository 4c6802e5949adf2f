using Deployer.Core.Data;
using Deployer.Core.Notifications;

namespace Deployer.Core.Access;

/// <summary>What came of a request to add a target.</summary>
public abstract record NotificationTargetChange
{
    private NotificationTargetChange()
    {
    }

    /// <summary>It is there.</summary>
    /// <param name="Target">The target.</param>
    /// <param name="Secret">Signing secret of a webhook, shown this once.</param>
    public sealed record Added(NotificationTargetView Target, string? Secret) : NotificationTargetChange;

    /// <summary>Fields are wrong.</summary>
    public sealed record Invalid(IReadOnlyDictionary<string, string[]> Errors) : NotificationTargetChange;

    /// <summary>There is no such app that the caller may see.</summary>
    public sealed record AppUnknown : NotificationTargetChange;
}

/// <summary>What came of a trial.</summary>
/// <param name="Delivered">Whether the receiver took it.</param>
/// <param name="Error">What it met.</param>
public sealed record NotificationTrial(bool Delivered, string? Error);

/// <summary>
/// Notification targets for whoever acts: for admins of what a target is about; one about everything wants an admin of
/// every environment. Every change is in the audit log.
/// </summary>
public sealed class NotificationGate
{
    private readonly NotificationBook _book;
    private readonly NotificationDesk _desk;
    private readonly NotificationComposer _composer;
    private readonly MailSender _mail;
    private readonly AccessSubjects _subjects;
    private readonly ICurrentActor _current;
    private readonly TimeProvider _time;

    internal NotificationGate(
        NotificationBook book, NotificationDesk desk, NotificationComposer composer, MailSender mail, AccessSubjects subjects,
        ICurrentActor current, TimeProvider time)
    {
        _book = book;
        _desk = desk;
        _composer = composer;
        _mail = mail;
        _subjects = subjects;
        _current = current;
        _time = time;
    }

    /// <summary>Whether the settings name a mail server.</summary>
    public bool CanMail => _mail.IsSet;

    /// <summary>The targets that the caller looks after.</summary>
    public async Task<IReadOnlyList<NotificationTargetView>> ListAsync(CancellationToken cancellationToken)
    {
        var actor = await _current.GetAsync(cancellationToken);
        return [.. (await _book.ListAsync(cancellationToken)).Where(target => IsAdmin(actor, target.Environment, target.View.App)).Select(target => target.View)];
    }

    /// <summary>The last deliveries to those targets, newest first.</summary>
    public async Task<IReadOnlyList<NotificationDeliveryView>> ListDeliveriesAsync(int limit, CancellationToken cancellationToken) =>
        await _book.ListDeliveriesAsync([.. (await ListAsync(cancellationToken)).Select(target => target.Id)], limit, cancellationToken);

    /// <summary>Adds a target.</summary>
    /// <exception cref="AccessDeniedException">The caller is no admin of what it is about.</exception>
    public async Task<NotificationTargetChange> AddAsync(NotificationTargetDraft draft, CancellationToken cancellationToken)
    {
        var actor = await _current.GetAsync(cancellationToken);
        if (draft.App is { } name)
        {
            if (await _subjects.FindAppAsync(name, cancellationToken) is not { } subject || !actor.May(AccessRole.Viewer, subject.Environment, name))
            {
                return new NotificationTargetChange.AppUnknown();
            }

            actor.Demand(AccessRole.Admin, subject.Environment, name);
        }
        else if (draft.Environment is { } environment)
        {
            actor.Demand(AccessRole.Admin, environment, app: null);
        }
        else
        {
            actor.DemandEverywhere(AccessRole.Admin);
        }

        var errors = NotificationBook.Check(draft);
        if (draft.Kind == NotificationKind.Email && !_mail.IsSet)
        {
            errors.TryAdd("kind", ["No mail server is set. Set Smtp:Host and Smtp:From, or choose another kind."]);
        }

        if (errors.Count > 0)
        {
            return new NotificationTargetChange.Invalid(errors);
        }

        return await _book.AddAsync(actor, draft, cancellationToken) is { } added
            ? new NotificationTargetChange.Added(added.View, added.Secret)
            : new NotificationTargetChange.AppUnknown();
    }

    /// <summary>Removes a target.</summary>
    /// <returns>Whether there was one that the caller looks after.</returns>
    public async Task<bool> RemoveAsync(long id, CancellationToken cancellationToken)
    {
        var actor = await _current.GetAsync(cancellationToken);
        if (await FindAsync(actor, id, cancellationToken) is not { } target)
        {
            return false;
        }

        await _book.RemoveAsync(actor, target.View, target.Environment, cancellationToken);
        return true;
    }

    /// <summary>Sends a trial message at once; <see langword="null"/> when there is no such target that the caller looks after.</summary>
    public async Task<NotificationTrial?> TryAsync(long id, CancellationToken cancellationToken)
    {
        var actor = await _current.GetAsync(cancellationToken);
        if (await FindAsync(actor, id, cancellationToken) is null)
        {
            return null;
        }

        var result = await _desk.SendAsync(id, _composer.Trial($"trial-{Guid.NewGuid():N}", _time.Now()), cancellationToken);
        return new NotificationTrial(result.IsDelivered, result.Error);
    }

    private async Task<(NotificationTargetView View, string? Environment)?> FindAsync(Actor actor, long id, CancellationToken cancellationToken)
    {
        foreach (var target in await _book.ListAsync(cancellationToken))
        {
            if (target.View.Id == id && IsAdmin(actor, target.Environment, target.View.App))
            {
                return target;
            }
        }

        return null;
    }

    private static bool IsAdmin(Actor actor, string? environment, string? app) => environment is null
        ? actor.MayEverywhere(AccessRole.Admin)
        : actor.May(AccessRole.Admin, environment, app);
}
