namespace Deployer.Core.Audit;

/// <summary>What can be written down: the noun, a dot, and what happened to it.</summary>
public static class AuditAction
{
    /// <summary>An app was added.</summary>
    public const string AppAdded = "app.added";

    /// <summary>An app's spec, name or environment was changed.</summary>
    public const string AppChanged = "app.changed";

    /// <summary>An app was removed.</summary>
    public const string AppRemoved = "app.removed";

    /// <summary>A stopped app was started.</summary>
    public const string AppStarted = "app.started";

    /// <summary>An app was stopped.</summary>
    public const string AppStopped = "app.stopped";

    /// <summary>An app was restarted.</summary>
    public const string AppRestarted = "app.restarted";

    /// <summary>Credentials for a registry were stored; the user name is noted, never the password.</summary>
    public const string RegistrySaved = "registry.saved";

    /// <summary>Credentials for a registry were removed.</summary>
    public const string RegistryRemoved = "registry.removed";

    /// <summary>Images that nothing needs were removed from the engine.</summary>
    public const string EnginePruned = "engine.pruned";

    /// <summary>Secret values of an app were set; the names are noted, never the values.</summary>
    public const string SecretsSet = "secret.set";

    /// <summary>Secret values of an app were removed.</summary>
    public const string SecretsRemoved = "secret.removed";

    /// <summary>A deployment's run read secret values to give them to its container; the names are noted.</summary>
    public const string SecretsUsed = "secret.used";

    /// <summary>Credentials of a registry were tried.</summary>
    public const string RegistryTested = "registry.tested";

    /// <summary>A deployment's run read a registry's credentials to pull its image.</summary>
    public const string RegistryUsed = "registry.used";

    /// <summary>A deployment was asked for.</summary>
    public const string DeploymentRequested = "deployment.requested";

    /// <summary>A deployment was asked to stop.</summary>
    public const string DeploymentCanceled = "deployment.canceled";

    /// <summary>The log of a deployment was pinned: retention keeps it.</summary>
    public const string LogPinned = "log.pinned";

    /// <summary>The log of a deployment is no longer pinned.</summary>
    public const string LogUnpinned = "log.unpinned";

    /// <summary>An earlier deployment was asked for again.</summary>
    public const string DeploymentRestored = "deployment.restored";

    /// <summary>A second person let a deployment start.</summary>
    public const string DeploymentApproved = "deployment.approved";

    /// <summary>A deployment was asked for in spite of a freeze.</summary>
    public const string FreezeOverridden = "freeze.overridden";

    /// <summary>A freeze window was set.</summary>
    public const string FreezeSet = "freeze.set";

    /// <summary>A freeze window was lifted.</summary>
    public const string FreezeLifted = "freeze.lifted";

    /// <summary>The rules of an environment were changed.</summary>
    public const string EnvironmentChanged = "environment.changed";

    /// <summary>A whole log was downloaded.</summary>
    public const string LogDownloaded = "log.downloaded";

    /// <summary>The audit log was exported.</summary>
    public const string AuditExported = "audit.exported";

    /// <summary>The first owner was made.</summary>
    public const string OwnerCreated = "person.owner_created";

    /// <summary>An invitation was made.</summary>
    public const string PersonInvited = "person.invited";

    /// <summary>An invitation was withdrawn.</summary>
    public const string InvitationWithdrawn = "person.invitation_withdrawn";

    /// <summary>An invited person made an account.</summary>
    public const string PersonJoined = "person.joined";

    /// <summary>An account was linked to somebody of the organisation's sign-in system, who signs in through it from then on.</summary>
    public const string PersonLinked = "person.linked";

    /// <summary>A role was granted, changed or taken.</summary>
    public const string RoleChanged = "person.role_changed";

    /// <summary>An account was shut.</summary>
    public const string PersonDisabled = "person.disabled";

    /// <summary>An account was opened again.</summary>
    public const string PersonEnabled = "person.enabled";

    /// <summary>An account was removed.</summary>
    public const string PersonRemoved = "person.removed";

    /// <summary>A person signed in.</summary>
    public const string SignedIn = "session.signed_in";

    /// <summary>A sign-in was refused.</summary>
    public const string SignInRefused = "session.refused";

    /// <summary>A person signed out.</summary>
    public const string SignedOut = "session.signed_out";

    /// <summary>A session was ended.</summary>
    public const string SessionEnded = "session.ended";

    /// <summary>All sessions of a person were ended.</summary>
    public const string SignedOutEverywhere = "session.ended_everywhere";

    /// <summary>A person changed the password.</summary>
    public const string PasswordChanged = "person.password_changed";

    /// <summary>A passkey was added.</summary>
    public const string PasskeyAdded = "passkey.added";

    /// <summary>A passkey was removed.</summary>
    public const string PasskeyRemoved = "passkey.removed";

    /// <summary>An API token was made.</summary>
    public const string TokenCreated = "token.created";

    /// <summary>An API token was revoked.</summary>
    public const string TokenRevoked = "token.revoked";

    /// <summary>A token was shown that is unknown, expired or revoked; one entry per address and hour.</summary>
    public const string TokenRefused = "token.refused";

    /// <summary>An app's webhook was made or its secret changed.</summary>
    public const string WebhookChanged = "webhook.changed";

    /// <summary>An app's webhook was removed.</summary>
    public const string WebhookRemoved = "webhook.removed";

    /// <summary>A notification target was added.</summary>
    public const string NotificationTargetAdded = "notification.added";

    /// <summary>A notification target was removed.</summary>
    public const string NotificationTargetRemoved = "notification.removed";

    /// <summary>A comment was pinned to a line.</summary>
    public const string CommentAdded = "comment.added";

    /// <summary>A comment was removed.</summary>
    public const string CommentRemoved = "comment.removed";
}

/// <summary>What an entry is about, as the audit log names it.</summary>
public static class AuditSubject
{
    /// <summary>An app.</summary>
    public static string App(string name) => $"app:{name}";

    /// <summary>A deployment.</summary>
    public static string Deployment(long id) => $"deployment:{id}";

    /// <summary>A registry, by host.</summary>
    public static string Registry(string host) => $"registry:{host}";

    /// <summary>An engine, by address.</summary>
    public static string Engine(string endpoint) => $"engine:{endpoint}";

    /// <summary>An environment.</summary>
    public static string Environment(string name) => $"environment:{name}";

    /// <summary>A person, by e-mail address.</summary>
    public static string Person(string email) => $"person:{email}";

    /// <summary>An API token.</summary>
    public static string Token(long id) => $"token:{id}";

    /// <summary>The audit log itself.</summary>
    public const string AuditLog = "audit_log";

    /// <summary>Whatever stands behind a network address.</summary>
    public static string Address(string? address) => $"address:{address ?? "unknown"}";

    /// <summary>A notification target.</summary>
    public static string NotificationTarget(long id) => $"notification:{id}";
}
