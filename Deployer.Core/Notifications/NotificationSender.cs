using Deployer.Core.Data;
using Deployer.Core.Deployments;
using Deployer.Core.Secrets;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using NodaTime;

namespace Deployer.Core.Notifications;

/// <summary>
/// Empties the outbox. An attempt is claimed before it is made, so that of several processes one makes it; when that one
/// dies in between, the claim runs out and the delivery goes again under the same id: at least once.
/// </summary>
internal sealed partial class NotificationSender(
    IDbContextFactory<DeployerDb> databases, NotificationComposer composer, NotificationDesk desk, DeploymentFeed feed,
    TimeProvider time, ILogger<NotificationSender> logger) : BackgroundService
{
    /// <summary>Attempts before a delivery is given up; the waits between them add up to about a day.</summary>
    internal const int MaxAttempts = 14;

    /// <summary>How long an attempt is claimed for; longer than it can take.</summary>
    internal static readonly Duration ClaimTime = Duration.FromMinutes(2);

    private const int AtOnce = 4;
    private const int Batch = 20;

    private static readonly TimeSpan Floor = TimeSpan.FromSeconds(10);
    private static readonly Duration FirstWait = Duration.FromSeconds(15);
    private static readonly Duration LongestWait = Duration.FromHours(2);

    /// <summary>How long to wait after an attempt failed.</summary>
    /// <param name="attempts">Attempts made, from 1 on.</param>
    internal static Duration WaitAfter(int attempts) =>
        Duration.Min(LongestWait, FirstWait * Math.Pow(2, Math.Min(attempts, 20) - 1));

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var bell = feed.WatchAll();
        try
        {
            while (true)
            {
                while (await SendDueAsync(stoppingToken) > 0)
                {
                    // More may be due by now.
                }

                await bell.WaitAsync(Floor, time, stoppingToken);
            }
        }
        catch (OperationCanceledException)
        {
            // The host stops; what was not sent goes at the next start.
        }
    }

    /// <summary>Makes every attempt that is due; raises nothing but a cancel.</summary>
    /// <returns>How many were made.</returns>
    internal async Task<int> SendDueAsync(CancellationToken cancellationToken)
    {
        try
        {
            var now = time.Now();
            await using var db = await databases.CreateDbContextAsync(cancellationToken);
            var due = await db.Set<NotificationDelivery>().AsNoTracking()
                .Where(delivery => delivery.NextAttemptAt <= now)
                .OrderBy(delivery => delivery.NextAttemptAt)
                .Take(Batch)
                .ToListAsync(cancellationToken);
            await Parallel.ForEachAsync(
                due,
                new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellationToken },
                async (delivery, token) => await TrySendAsync(delivery, token));
            return due.Count;
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            LogRoundFailed(exception);
            return 0;
        }
    }

    private async Task TrySendAsync(NotificationDelivery delivery, CancellationToken cancellationToken)
    {
        if (!await ClaimAsync(delivery, cancellationToken))
        {
            return;
        }

        var attempts = delivery.Attempts + 1;
        NotificationAttempt result;
        try
        {
            result = await composer.ComposeAsync($"{delivery.Id}", delivery.DeploymentId, delivery.Event, cancellationToken) is { } message
                ? await desk.SendAsync(delivery.TargetId, message, cancellationToken)
                : NotificationAttempt.Refused("The deployment is gone.");
        }
        catch (SecretUnreadableException exception)
        {
            result = NotificationAttempt.Failed(exception.Message);
        }

        await RecordAsync(delivery.Id, attempts, result);
    }

    private async Task<bool> ClaimAsync(NotificationDelivery delivery, CancellationToken cancellationToken)
    {
        var until = time.Now() + ClaimTime;
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        return await db.Set<NotificationDelivery>()
            .Where(row => row.Id == delivery.Id && row.Attempts == delivery.Attempts && row.NextAttemptAt == delivery.NextAttemptAt)
            .ExecuteUpdateAsync(
                set => set.SetProperty(row => row.Attempts, delivery.Attempts + 1).SetProperty(row => row.NextAttemptAt, until), cancellationToken) == 1;
    }

    // What the receiver took is written down even as the host stops.
    private async Task RecordAsync(long id, int attempts, NotificationAttempt result)
    {
        var now = time.Now();
        var goesOn = result is { IsDelivered: false, MayWork: true } && attempts < MaxAttempts;
        var wait = Duration.Max(WaitAfter(attempts), Duration.Min(LongestWait, Duration.FromTimeSpan(result.RetryAfter ?? TimeSpan.Zero)));
        var next = goesOn ? now + wait : (Instant?)null;
        var delivered = result.IsDelivered ? now : (Instant?)null;
        await using var db = await databases.CreateDbContextAsync(CancellationToken.None);
        await db.Set<NotificationDelivery>().Where(row => row.Id == id && row.Attempts == attempts)
            .ExecuteUpdateAsync(
                set => set.SetProperty(row => row.NextAttemptAt, next)
                    .SetProperty(row => row.DeliveredAt, delivered)
                    .SetProperty(row => row.LastError, result.Error),
                CancellationToken.None);
        if (!result.IsDelivered)
        {
            LogNotDelivered(id, attempts, result.Error);
        }
    }

    [LoggerMessage(LogLevel.Warning, "Notification {Id}, attempt {Attempts}: {Error}")]
    private partial void LogNotDelivered(long id, int attempts, string? error);

    [LoggerMessage(LogLevel.Error, "A round of sending notifications failed; the next follows")]
    private partial void LogRoundFailed(Exception exception);
}
