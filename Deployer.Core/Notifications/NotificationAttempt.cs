namespace Deployer.Core.Notifications;

/// <summary>What became of one attempt to deliver.</summary>
/// <param name="IsDelivered">Whether the receiver took it.</param>
/// <param name="Error">What it met, without secrets and without anything that the receiver wrote; <see langword="null"/> when delivered.</param>
/// <param name="MayWork">Whether a later attempt may fare better.</param>
/// <param name="RetryAfter">How long the receiver wants to be left alone; <see langword="null"/> where it does not say.</param>
internal sealed record NotificationAttempt(bool IsDelivered, string? Error, bool MayWork, TimeSpan? RetryAfter)
{
    /// <summary>It was taken.</summary>
    public static NotificationAttempt Delivered { get; } = new(IsDelivered: true, null, MayWork: false, null);

    /// <summary>It was not, and may be next time.</summary>
    public static NotificationAttempt Failed(string error) => new(IsDelivered: false, error, MayWork: true, null);

    /// <summary>It was not, and will not be.</summary>
    public static NotificationAttempt Refused(string error) => new(IsDelivered: false, error, MayWork: false, null);
}
