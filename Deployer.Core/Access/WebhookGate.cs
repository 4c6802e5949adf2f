using Deployer.Core.Webhooks;

namespace Deployer.Core.Access;

/// <summary>What came of a change to an app's webhook.</summary>
public abstract record WebhookChange
{
    private WebhookChange()
    {
    }

    /// <summary>It has a new secret, which is shown this once.</summary>
    public sealed record Renewed(NewWebhook Webhook) : WebhookChange;

    /// <summary>There is no such app that the caller may see.</summary>
    public sealed record AppUnknown : WebhookChange;

    /// <summary>The tags are no patterns.</summary>
    public sealed record TagsInvalid : WebhookChange;
}

/// <summary>The webhooks of apps for whoever acts: for admins of the app, and every change in the audit log.</summary>
public sealed class WebhookGate(WebhookBook book, AccessSubjects subjects, ICurrentActor current)
{
    /// <summary>An app's webhook; <see langword="null"/> when it has none, or there is no such app that the caller may see.</summary>
    /// <exception cref="AccessDeniedException">The caller is no admin of the app.</exception>
    public async Task<WebhookView?> FindAsync(string app, CancellationToken cancellationToken) =>
        await DemandAsync(app, cancellationToken) is null ? null : await book.FindAsync(app, cancellationToken);

    /// <summary>The last deliveries, newest first; <see langword="null"/> when there is no such app that the caller may see.</summary>
    /// <exception cref="AccessDeniedException">The caller is no admin of the app.</exception>
    public async Task<IReadOnlyList<WebhookDeliveryView>?> ListDeliveriesAsync(string app, int limit, CancellationToken cancellationToken) =>
        await DemandAsync(app, cancellationToken) is null ? null : await book.ListDeliveriesAsync(app, limit, cancellationToken);

    /// <summary>Makes the webhook, or gives it a new secret and other tags.</summary>
    /// <param name="app">The app.</param>
    /// <param name="tags">Patterns of tags that deploy, e.g. <c>v*, main</c>; <see langword="null"/> for the app's own tag alone.</param>
    /// <param name="withAddressKey">Whether senders that cannot sign may show a key instead.</param>
    /// <param name="cancellationToken">Cancels the change.</param>
    /// <exception cref="AccessDeniedException">The caller is no admin of the app.</exception>
    public async Task<WebhookChange> RenewAsync(string app, string? tags, bool withAddressKey, CancellationToken cancellationToken)
    {
        if (await DemandAsync(app, cancellationToken) is not { } subject)
        {
            return new WebhookChange.AppUnknown();
        }

        var patterns = string.IsNullOrWhiteSpace(tags) ? null : tags.Trim();
        if (patterns is not null && !WebhookTags.IsValid(patterns))
        {
            return new WebhookChange.TagsInvalid();
        }

        return await book.RenewAsync(await current.GetAsync(cancellationToken), subject, patterns, withAddressKey, cancellationToken) is { } made
            ? new WebhookChange.Renewed(made)
            : new WebhookChange.AppUnknown();
    }

    /// <summary>Removes the webhook; <see langword="null"/> when there is no such app that the caller may see.</summary>
    /// <returns>Whether the app had one.</returns>
    /// <exception cref="AccessDeniedException">The caller is no admin of the app.</exception>
    public async Task<bool?> RemoveAsync(string app, CancellationToken cancellationToken) =>
        await DemandAsync(app, cancellationToken) is { } subject
            ? await book.RemoveAsync(await current.GetAsync(cancellationToken), subject, cancellationToken)
            : null;

    private async Task<AccessSubject?> DemandAsync(string app, CancellationToken cancellationToken)
    {
        var actor = await current.GetAsync(cancellationToken);
        if (await subjects.FindAppAsync(app, cancellationToken) is not { } subject || !actor.May(AccessRole.Viewer, subject.Environment, subject.App))
        {
            return null;
        }

        actor.Demand(AccessRole.Admin, subject.Environment, subject.App);
        return subject;
    }
}
