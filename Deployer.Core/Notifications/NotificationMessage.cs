using Deployer.Core.Data;
using Deployer.Core.Deployments;
using Deployer.Core.Logs;
using Deployer.Core.Secrets;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using NodaTime;

namespace Deployer.Core.Notifications;

/// <summary>What is told. Holds no secret.</summary>
/// <param name="Id">Id of the delivery: the same at each attempt, so that receivers can tell repeats.</param>
/// <param name="Event">What happened.</param>
/// <param name="At">When.</param>
/// <param name="App">The app.</param>
/// <param name="Environment">Its environment.</param>
/// <param name="DeploymentId">The deployment.</param>
/// <param name="Number">Its number within the app.</param>
/// <param name="Image">The image that was asked for.</param>
/// <param name="RequestedBy">Who asked.</param>
/// <param name="Reason">Why, in their words.</param>
/// <param name="Line">The line that tells most: the cause of a failure and the last thing that the container said.</param>
/// <param name="Url">Where to look.</param>
internal sealed record NotificationMessage(
    string Id, NotificationEvents Event, Instant At, string App, string Environment, long DeploymentId, int Number, string Image,
    string? RequestedBy, string? Reason, string? Line, string Url)
{
    /// <summary>In one line.</summary>
    public string Title => $"{App} #{Number} {Word} in {Environment}";

    private string Word => Event switch
    {
        NotificationEvents.Succeeded => "succeeded",
        NotificationEvents.Failed => "failed",
        NotificationEvents.Canceled => "was canceled",
        _ => "waits for approval",
    };
}

/// <summary>Makes messages.</summary>
internal sealed class NotificationComposer(
    IDbContextFactory<DeployerDb> databases, SecretBook secrets, IOptions<NotificationOptions> options, Microsoft.Extensions.Configuration.IConfiguration configuration)
{
    private const int MaxText = 500;

    /// <summary>The message about an event of a deployment; <see langword="null"/> when the deployment is gone.</summary>
    public async Task<NotificationMessage?> ComposeAsync(
        string id, long deploymentId, NotificationEvents happened, CancellationToken cancellationToken)
    {
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        var found = await (from deployment in db.Deployments.AsNoTracking()
                           join app in db.Apps on deployment.AppId equals app.Id
                           where deployment.Id == deploymentId
                           select new { Deployment = deployment, app.Name, app.Environment }).FirstOrDefaultAsync(cancellationToken);
        if (found is null)
        {
            return null;
        }

        var row = found.Deployment;
        var mask = Mask(row);
        return new NotificationMessage(
            id, happened, row.EndedAt ?? row.CreatedAt, found.Name, found.Environment, row.Id, row.Number, row.Spec.Image,
            row.RequestedBy, Short(row.Reason, mask), Short(Line(row, happened), mask), $"{Dashboard()}/deployments/{row.Id}");
    }

    /// <summary>The message of a trial.</summary>
    public NotificationMessage Trial(string id, Instant now) => new(
        id, NotificationEvents.Succeeded, now, "example", "staging", 0, 1, "registry.example.com/team/example:v1",
        "Deployer", "A trial: this is how notifications look here.", "Nothing was deployed.", $"{Dashboard()}/");

    private string Dashboard()
    {
        var first = (configuration["Urls"] ?? "").Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).FirstOrDefault();
        return (string.IsNullOrWhiteSpace(options.Value.DashboardUrl) ? first ?? "http://127.0.0.1:8080" : options.Value.DashboardUrl).TrimEnd('/');
    }

    private static string? Line(Deployment row, NotificationEvents happened) => (happened, row.Failure) switch
    {
        (NotificationEvents.ApprovalWanted, _) => "It starts when a second person approves it.",
        (NotificationEvents.Canceled, _) when row.CancelRequestedBy is { } by => $"Canceled by {by}.",
        (_, { Evidence.LastLines: [.., var last] } failure) => $"{failure.Cause} Last line: {last}",
        (_, { } failure) => failure.Cause,
        _ => null,
    };

    /// <summary>What masks the deployment's secrets; <see langword="null"/> when they cannot be read, and nothing can be told from them.</summary>
    private SecretMask? Mask(Deployment row)
    {
        try
        {
            return new SecretMask([Redactor.Create([.. secrets.OpenSnapshot(row.SealedSecrets).Values])]);
        }
        catch (SecretUnreadableException)
        {
            return null;
        }
    }

    private static string? Short(string? text, SecretMask? mask)
    {
        if (string.IsNullOrWhiteSpace(text) || mask is null)
        {
            return null;
        }

        // Colours and other control characters of a log line mean nothing elsewhere.
        var plain = new string([.. mask.Apply(SecretMask.WithoutStyles(text, out _)).Select(c => char.IsControl(c) ? ' ' : c)]).Trim();
        return plain.Length <= MaxText ? plain : plain[..(MaxText - 1)] + "…";
    }
}
