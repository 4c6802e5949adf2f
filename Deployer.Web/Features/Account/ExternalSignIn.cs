using Deployer.Core.Access;

namespace Deployer.Web.Features.Account;

/// <summary>The sign-in system of the organisation, where one is set.</summary>
/// <param name="DisplayName">What its button says; <see langword="null"/> where there is none.</param>
internal sealed record ExternalSignIn(string? DisplayName)
{
    /// <summary>Where the way there begins.</summary>
    public const string Path = "/account/external";

    /// <summary>Somebody said no there.</summary>
    public const string Denied = "denied";

    /// <summary>The answer belongs to no question that this browser asked of late.</summary>
    public const string Stale = "stale";

    /// <summary>The answer cannot be trusted or used.</summary>
    public const string Failed = "failed";

    /// <summary>The system does not answer.</summary>
    public const string Unreachable = "unreachable";

    /// <summary>Too many attempts from one address.</summary>
    public const string TooOften = "too-often";

    /// <summary>How a refusal is called in the address of the sign-in page.</summary>
    public static string Code(ExternalFault fault) => fault switch
    {
        ExternalFault.Unverified => "unverified",
        ExternalFault.Unknown => "unknown",
        ExternalFault.Shut => "shut",
        ExternalFault.LinkedElsewhere => "linked",
        ExternalFault.NoOwner => "no-owner",
        _ => Failed,
    };

    /// <summary>What to tell the person, in our own words: those of the system are a stranger's.</summary>
    public IReadOnlyList<string> Explain(string? problem) => DisplayName is null ? [] : problem switch
    {
        Denied => [$"{DisplayName} did not let you in, or you turned back. Try again, or sign in another way."],
        Stale => ["The sign-in took too long or was begun in another browser. Try again."],
        Failed => [$"{DisplayName} gave an answer that cannot be used, so you are not signed in. Try again; if it stays so, an owner finds the reason in Deployer's own log."],
        Unreachable => [$"{DisplayName} does not answer. Try again in a while, or sign in another way."],
        TooOften => ["There were too many attempts. Wait a minute."],
        "unverified" => [$"{DisplayName} does not say that your e-mail address is verified. Have it verified there, and try again."],
        "unknown" => [$"Nobody here has the e-mail address that {DisplayName} knows of you. Ask an owner to invite exactly that one."],
        "shut" => ["Your account here is shut. Ask an owner."],
        "linked" => [$"The account with your e-mail address is linked to somebody else at {DisplayName}. Ask an owner to remove that account and to invite you."],
        "no-owner" => ["Nobody owns this Deployer yet. Its owner has to be made first, on its own page."],
        _ => [],
    };
}
