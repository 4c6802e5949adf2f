using Deployer.Core.Access;
using Deployer.Web.Features.Security;
using static Deployer.Core.Access.AccessRole;
using static Deployer.Web.Features.Security.AccessScope;

namespace Deployer.Tests.Security;

/// <summary>Who may use an endpoint or a page.</summary>
/// <param name="Method">HTTP method, or <c>PAGE</c> for a page of the dashboard.</param>
/// <param name="Path">Its route, as it is mapped.</param>
/// <param name="Role">The least role; <see langword="null"/> where the scope alone decides.</param>
/// <param name="Scope">Where the role must be held; <see langword="null"/> for everybody.</param>
internal sealed record AccessRow(string Method, string Path, AccessRole? Role, AccessScope? Scope)
{
    /// <summary>Body of the request: JSON in which <c>{app}</c> and <c>{environment}</c> are filled in.</summary>
    public string? Body { get; init; }

    /// <summary>Query, with the question mark.</summary>
    public string Query { get; init; } = "";

    /// <summary>Whether the body or query names the environment or app, so that the gate alone decides about it.</summary>
    public bool NamesTarget { get; init; }

    /// <summary>Whether a call that is let in uses the app or deployment up, so that each call needs a new one.</summary>
    public bool UsesUp { get; init; }

    /// <summary>Whether it is enough to be known, in whatever role.</summary>
    public bool AnybodyKnown { get; init; }

    /// <summary>Whether it is about the account of a person, which the holder of a token has none of.</summary>
    public bool WantsPerson { get; init; }

    /// <summary>What it is called in the list of endpoints.</summary>
    public string Key => $"{Method} {Path}";
}

/// <summary>
/// Every endpoint and every page with who may use it. A new one without a row here fails the tests; the failure prints
/// the row to add. <c>Anywhere</c>: the role in some environment. <c>Everywhere</c>: in all of them.
/// </summary>
internal static class AccessTable
{
    private const string Draft = """{"image":"web:v2","environment":"{environment}"}""";

    public static readonly AccessRow[] Rows =
    [
        // Apps
        new("GET", "/api/apps", Viewer, Anywhere),
        new("POST", "/api/apps", Admin, Anywhere) { Body = """{"name":"{new}","image":"web:v1","environment":"{environment}"}""", NamesTarget = true },
        new("GET", "/api/apps/{app}", Viewer, App),
        new("PUT", "/api/apps/{app}", Admin, App) { Body = Draft },
        new("DELETE", "/api/apps/{app}", Admin, App) { UsesUp = true },
        new("GET", "/api/apps/{app}/runtime", Viewer, App),
        new("POST", "/api/apps/{app}/start", AccessRole.Deployer, App),
        new("POST", "/api/apps/{app}/stop", AccessRole.Deployer, App),
        new("POST", "/api/apps/{app}/restart", AccessRole.Deployer, App),
        new("GET", "/api/apps/{app}/secrets", Viewer, App),
        new("PUT", "/api/apps/{app}/secrets/{name}", Admin, App) { Body = """{"value":"x"}""" },
        new("DELETE", "/api/apps/{app}/secrets/{name}", Admin, App),

        // Registries
        new("GET", "/api/registries", Admin, Everywhere),
        new("PUT", "/api/registries/{host}", Admin, Everywhere) { Body = """{"user_name":"a","password":"b"}""" },
        new("DELETE", "/api/registries/{host}", Admin, Everywhere),
        new("POST", "/api/registries/{host}/test", Admin, Everywhere),

        // Engine
        new("GET", "/api/engine", Viewer, Everywhere),
        new("GET", "/api/engine/prune", Admin, Everywhere),
        new("POST", "/api/engine/prune", Admin, Everywhere) { Body = "{}" },

        // Deployments
        new("POST", "/api/apps/{app}/deployments", AccessRole.Deployer, App) { Body = "{}" },
        new("GET", "/api/deployments", Viewer, Anywhere),
        new("GET", "/api/statistics", Viewer, Anywhere),
        new("GET", "/api/deployments/{id}", Viewer, Deployment),
        new("POST", "/api/deployments/{id}/cancel", AccessRole.Deployer, Deployment) { UsesUp = true },
        new("PUT", "/api/deployments/{id}/pin", AccessRole.Deployer, Deployment),
        new("DELETE", "/api/deployments/{id}/pin", AccessRole.Deployer, Deployment),
        new("GET", "/api/deployments/{id}/progress", Viewer, Deployment),
        new("GET", "/api/deployments/{id}/restore", Viewer, Deployment),
        new("POST", "/api/deployments/{id}/restore", AccessRole.Deployer, Deployment) { Body = "{}" },
        new("POST", "/api/deployments/{id}/approve", AccessRole.Deployer, Deployment) { Body = """{"reason":"x"}""" },

        // Comments
        new("GET", "/api/deployments/{id}/comments", Viewer, Deployment),
        new("POST", "/api/deployments/{id}/comments", Viewer, Deployment) { Body = """{"line":1,"text":"x"}""" },
        new("DELETE", "/api/deployments/{id}/comments/{comment}", Viewer, Deployment),
        new("GET", "/api/deployments/{id}/viewers", Viewer, Deployment),

        // Environments. The freeze asked for has no end, so that none is set.
        new("GET", "/api/environments", Viewer, Anywhere),
        new("PUT", "/api/environments/{environment}", Admin, AccessScope.Environment) { Body = """{"protected":false}""" },
        new("POST", "/api/environments/{environment}/freezes", Admin, AccessScope.Environment) { Body = "{}" },
        new("DELETE", "/api/environments/{environment}/freezes/{freeze}", Admin, AccessScope.Environment),

        // People, tokens, audit log
        new("GET", "/api/me", Viewer, Anywhere),
        new("GET", "/api/people", Owner, Everywhere),
        new("GET", "/api/people/{person}", Owner, Everywhere),
        new("PUT", "/api/people/{person}/roles", Owner, Everywhere) { Body = """{"role":"viewer"}""" },
        new("DELETE", "/api/people/{person}/roles", Owner, Everywhere),
        new("POST", "/api/people/{person}/disable", Owner, Everywhere),
        new("POST", "/api/people/{person}/enable", Owner, Everywhere),
        new("DELETE", "/api/people/{person}", Owner, Everywhere),
        new("GET", "/api/people/{person}/sessions", Owner, Everywhere),
        new("DELETE", "/api/people/{person}/sessions", Owner, Everywhere),
        new("DELETE", "/api/people/{person}/sessions/{session}", Owner, Everywhere),
        new("GET", "/api/invitations", Owner, Everywhere),
        new("POST", "/api/invitations", Owner, Everywhere) { Body = """{"email":"somebody@example.com","role":"viewer"}""" },
        new("DELETE", "/api/invitations/{invitation}", Owner, Everywhere),
        new("GET", "/api/tokens", Owner, Everywhere),
        new("POST", "/api/tokens", Owner, Everywhere) { Body = """{"name":"x","role":"viewer"}""" },
        new("DELETE", "/api/tokens/{token}", Owner, Everywhere),
        new("GET", "/api/audit", Owner, Everywhere),
        new("GET", "/api/audit/export", Owner, Everywhere),

        // Webhooks; deliveries prove themselves by signature
        new("GET", "/api/apps/{app}/webhook", Admin, App),
        new("POST", "/api/apps/{app}/webhook", Admin, App) { Body = "{}" },
        new("DELETE", "/api/apps/{app}/webhook", Admin, App),
        new("GET", "/api/apps/{app}/webhook/deliveries", Admin, App),
        new("POST", "/hooks/{app}", null, null) { Body = "{}" },

        // Notifications
        new("GET", "/api/notifications", Admin, Anywhere),
        new("POST", "/api/notifications", Admin, Anywhere)
        {
            Body = """{"name":"chat","kind":"slack","address":"https://chat.test/x","environment":"{environment}","events":["failed"]}""", NamesTarget = true,
        },
        new("DELETE", "/api/notifications/{id}", Admin, Anywhere),
        new("POST", "/api/notifications/{id}/test", Admin, Anywhere),
        new("GET", "/api/notifications/deliveries", Admin, Anywhere),

        // Logs
        new("GET", "/api/deployments/{id}/logs", Viewer, Deployment),
        new("GET", "/api/deployments/{id}/logs/stream", Viewer, Deployment),
        new("GET", "/api/deployments/{id}/logs.txt", Viewer, Deployment),
        new("GET", "/api/deployments/{id}/logs/search", Viewer, Deployment) { Query = "?q=x" },
        new("GET", "/api/logs/search", Viewer, Anywhere) { Query = "?q=x" },
        new("GET", "/api/logs/usage", Viewer, Anywhere),

        new("GET", "/api/diagnostics", Admin, Everywhere),

        // For everybody: they say nothing of the installation, or are how one comes in
        new("GET", "/health/live", null, null),
        new("GET", "/health/ready", null, null),
        new("GET", "/openapi/{documentName}.json", null, null),
        new("GET", "/account/setup", null, null),
        new("POST", "/account/setup", null, null),
        new("GET", "/account/sign-in", null, null),
        new("POST", "/account/sign-in", null, null),
        new("POST", "/account/sign-in/passkey", null, null),
        new("GET", "/account/external", null, null),
        new("POST", "/account/passkeys/request-options", null, null),
        new("GET", "/account/invitation/{key}", null, null),
        new("POST", "/account/invitation/{key}", null, null),
        new("GET", "/account/denied", null, null),
        new("PAGE", "/error", null, null),

        // One's own account
        new("GET", "/account", null, null) { AnybodyKnown = true },
        new("POST", "/account/sign-out", null, null) { AnybodyKnown = true },
        new("POST", "/account/password", null, null) { AnybodyKnown = true },
        new("POST", "/account/passkeys/creation-options", null, null) { AnybodyKnown = true, WantsPerson = true },
        new("POST", "/account/passkeys", null, null) { AnybodyKnown = true },
        new("POST", "/account/passkeys/remove", null, null) { AnybodyKnown = true },
        new("POST", "/account/sessions/end", null, null) { AnybodyKnown = true },
        new("POST", "/account/sessions/end-all", null, null) { AnybodyKnown = true },

        // Pages. What they show and do is narrowed by the verbs; see VerbTable.
        new("PAGE", "/", Viewer, Anywhere),
        new("PAGE", "/activity", Viewer, Anywhere),
        new("PAGE", "/people", Owner, Everywhere),
        new("PAGE", "/people/{Id}", Owner, Everywhere),
        new("PAGE", "/tokens", Owner, Everywhere),
        new("PAGE", "/audit", Owner, Everywhere),
        new("PAGE", "/search", Viewer, Anywhere),
        new("PAGE", "/environments", Viewer, Anywhere),
        new("PAGE", "/registries", Admin, Everywhere),
        new("PAGE", "/apps/new", Admin, Anywhere),
        new("PAGE", "/apps/{Name}/webhook", Admin, Anywhere),
        new("PAGE", "/notifications", Admin, Anywhere),
        new("PAGE", "/diagnostics", Admin, Everywhere),
        new("PAGE", "/apps/{Name}", Viewer, Anywhere),
        new("PAGE", "/apps/{Name}/edit", Admin, Anywhere),
        new("PAGE", "/apps/{Name}/log", Viewer, Anywhere),
        new("PAGE", "/apps/{Name}/compare", Viewer, Anywhere),
        new("PAGE", "/deployments/{Id:long}", Viewer, Anywhere),
        new("PAGE", "/not-found", Viewer, Anywhere),
    ];
}
