using System.Net;
using System.Net.Http.Headers;
using Deployer.Core.Access;
using Deployer.Web.Features.Security;

namespace Deployer.Tests.Security;

/// <summary>What becomes of a call.</summary>
internal enum Verdict
{
    /// <summary>Whoever calls is unknown.</summary>
    Stranger,

    /// <summary>The roles of whoever calls do not allow it.</summary>
    Denied,

    /// <summary>To whoever calls, there is no such thing.</summary>
    Hidden,

    /// <summary>The call goes through to the verb.</summary>
    LetIn,
}

/// <summary>Somebody who calls: with a role, in one environment or in all, by token or by cookie.</summary>
internal sealed record Caller(AccessRole? Role, string? Environment, string? App, bool ByCookie)
{
    /// <summary>The token, or the cookie.</summary>
    public string Proof { get; init; } = "";

    public override string ToString() => Role is null
        ? "nobody"
        : $"{Role} of {App ?? "every app"} in {Environment ?? "every environment"} by {(ByCookie ? "cookie" : "token")}";

    /// <summary>What has to become of a call, said once more and in other words than the product does.</summary>
    public Verdict Expect(AccessRow row, Target target)
    {
        if (row is { Scope: null, AnybodyKnown: false })
        {
            return Verdict.LetIn;
        }

        if (Role is null)
        {
            return Verdict.Stranger;
        }

        if (row.AnybodyKnown)
        {
            return row.WantsPerson && !ByCookie ? Verdict.Denied : Verdict.LetIn;
        }

        var isEnough = Role >= row.Role;
        var isHere = (Environment is null || Environment == target.Environment) && (App is null || App == target.App);
        return row.Scope switch
        {
            AccessScope.Everywhere => isEnough && Environment is null && App is null ? Verdict.LetIn : Verdict.Denied,
            AccessScope.Environment => isEnough && (Environment is null || Environment == target.Environment) && App is null ? Verdict.LetIn : Verdict.Denied,
            AccessScope.Anywhere when !row.NamesTarget => isEnough ? Verdict.LetIn : Verdict.Denied,
            AccessScope.Anywhere => isEnough && isHere && App is null ? Verdict.LetIn : Verdict.Denied,
            _ when !isHere => Verdict.Hidden,
            _ => isEnough ? Verdict.LetIn : Verdict.Denied,
        };
    }

    /// <summary>Shows who calls.</summary>
    public void Sign(HttpRequestMessage request)
    {
        if (Role is null)
        {
            return;
        }

        if (ByCookie)
        {
            request.Headers.Add("Cookie", Proof);
            request.Headers.Add("Sec-Fetch-Site", "same-origin");
        }
        else
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", Proof);
        }
    }

    /// <summary>Reads what became of a call.</summary>
    public static Verdict Read(HttpStatusCode status, string body, Uri? location) => status switch
    {
        HttpStatusCode.Unauthorized when !body.Contains("\"signature_invalid\"", StringComparison.Ordinal) => Verdict.Stranger,
        HttpStatusCode.Forbidden => Verdict.Denied,
        HttpStatusCode.NotFound when body.Contains("\"app_unknown\"", StringComparison.Ordinal) || body.Contains("\"deployment_unknown\"", StringComparison.Ordinal) => Verdict.Hidden,
        HttpStatusCode.Redirect when location?.OriginalString.StartsWith("/account/sign-in", StringComparison.Ordinal) is true => Verdict.Stranger,
        HttpStatusCode.Redirect when location?.OriginalString.StartsWith("/account/denied", StringComparison.Ordinal) is true => Verdict.Denied,
        _ => Verdict.LetIn,
    };
}
