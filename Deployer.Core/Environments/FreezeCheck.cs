using Deployer.Core.Apps;
using Deployer.Core.Data;
using NodaTime;

namespace Deployer.Core.Environments;

/// <summary>What makes a freeze one that can be set.</summary>
public static class FreezeCheck
{
    /// <summary>Longest reason.</summary>
    public const int MaxReasonLength = 1000;

    /// <summary>Longest freeze.</summary>
    public static readonly Duration MaxDuration = Duration.FromDays(366);

    /// <summary>What is wrong, by field; empty when nothing is.</summary>
    public static IReadOnlyDictionary<string, string[]> Errors(Instant startsAt, Instant? endsAt, string? reason, Instant now)
    {
        var errors = new FieldErrors();
        if (endsAt is not { } end)
        {
            errors.Add("ends_at", $"Say when the freeze ends, e.g. {Rfc3339.Example}.");
        }
        else if (end <= startsAt)
        {
            errors.Add("ends_at", "A freeze ends after it starts.");
        }
        else if (end <= now)
        {
            errors.Add("ends_at", "This is over already; choose an end that is still to come.");
        }
        else if (startsAt < now - MaxDuration || end - startsAt > MaxDuration)
        {
            errors.Add("ends_at", $"A freeze lasts at most {MaxDuration.Days} days; set another one later.");
        }

        if (reason?.Trim() is not { Length: > 0 and <= MaxReasonLength })
        {
            errors.Add("reason", $"Say why in 1 to {MaxReasonLength} characters; whoever tries to deploy meanwhile reads it.");
        }

        return errors.ToDictionary();
    }
}
