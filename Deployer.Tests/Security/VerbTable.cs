using Deployer.Core.Access;
using static Deployer.Core.Access.AccessRole;
using static Deployer.Tests.Security.VerbScope;

namespace Deployer.Tests.Security;

/// <summary>Where a verb's role must be held.</summary>
internal enum VerbScope
{
    /// <summary>For the app or deployment that the arguments name; without the role viewer there, it is as if it did not exist.</summary>
    OfApp,

    /// <summary>In the environment that the arguments name.</summary>
    InEnvironment,

    /// <summary>In every environment.</summary>
    Everywhere,

    /// <summary>Nowhere: the answer is narrowed to what the caller may see.</summary>
    Narrowed,

    /// <summary>Nowhere: whoever has the secret that the arguments hold, or acts for themselves.</summary>
    Anybody,
}

/// <summary>Who may do what.</summary>
/// <param name="Verb">Class and method.</param>
/// <param name="Role">The least role.</param>
/// <param name="Scope">Where.</param>
internal sealed record VerbRow(string Verb, AccessRole Role, VerbScope Scope)
{
    /// <summary>A verb that an owner does first, where the verb needs what it makes.</summary>
    public string? After { get; init; }
}

/// <summary>
/// What pages and the API can do: every public method of the classes in Deployer.Core that ask who acts. A new one
/// without a row here fails the tests; the failure names it.
/// </summary>
internal static class VerbTable
{
    public static readonly VerbRow[] Rows =
    [
        new("AppGate.ListAsync", Viewer, Narrowed),
        new("AppGate.FindAsync", Viewer, OfApp),
        new("AppGate.AddAsync", Admin, InEnvironment),
        new("AppGate.ChangeAsync", Admin, OfApp),
        new("AppGate.RemoveAsync", Admin, OfApp),

        new("DeploymentGate.EnqueueAsync", AccessRole.Deployer, OfApp),
        new("DeploymentGate.CancelAsync", AccessRole.Deployer, OfApp),
        new("LogPinGate.SetAsync", AccessRole.Deployer, OfApp),
        new("DeploymentGate.ApproveAsync", AccessRole.Deployer, OfApp),
        new("DeploymentGate.FindAsync", Viewer, OfApp),
        new("DeploymentGate.ListAsync", Viewer, Narrowed),
        new("DeploymentGate.MaySeeAsync", Viewer, OfApp),

        new("DeploymentGate.TakeLogAsync", Viewer, OfApp),

        // Comments are removed by their authors and by admins; see EnvironmentsApiTests.
        new("CommentBook.ListAsync", Viewer, OfApp),
        new("CommentBook.AddAsync", Viewer, OfApp),
        new("CommentBook.RemoveAsync", Viewer, OfApp),
        new("PresenceBook.ListAsync", Viewer, OfApp),
        new("PresenceBook.EnterAsync", Viewer, Anybody),
        new("PresenceBook.LeaveAsync", Viewer, Anybody),

        new("OperationGate.StartAsync", AccessRole.Deployer, OfApp),
        new("OperationGate.StopAsync", AccessRole.Deployer, OfApp),
        new("OperationGate.RestartAsync", AccessRole.Deployer, OfApp),
        new("OperationGate.LookAsync", Viewer, OfApp),
        new("OperationGate.ProgressAsync", Viewer, OfApp),
        new("OperationGate.CheckRestoreAsync", Viewer, OfApp),
        new("OperationGate.RestoreAsync", AccessRole.Deployer, OfApp),

        new("OverviewGate.ReadAsync", Viewer, Narrowed),
        new("PlanGate.PlanAsync", Viewer, OfApp),
        new("PlanGate.FindTermsAsync", Viewer, OfApp),
        new("PlanGate.FindAsync", Viewer, OfApp),
        new("PlanGate.ListRestorableAsync", Viewer, OfApp),
        new("PlanGate.ListTagsAsync", AccessRole.Deployer, OfApp),

        new("SecretGate.ListAsync", Viewer, OfApp),
        new("SecretGate.SetAsync", Admin, OfApp),
        new("SecretGate.RemoveAsync", Admin, OfApp),

        new("WebhookGate.FindAsync", Admin, OfApp) { After = "WebhookGate.RenewAsync" },
        new("WebhookGate.ListDeliveriesAsync", Admin, OfApp),
        new("WebhookGate.RenewAsync", Admin, OfApp),
        new("WebhookGate.RemoveAsync", Admin, OfApp) { After = "WebhookGate.RenewAsync" },

        // By id of a target: NotificationTests tries those with each role.
        new("NotificationGate.ListAsync", Admin, Narrowed) { After = "NotificationGate.AddAsync" },
        new("NotificationGate.ListDeliveriesAsync", Admin, Anybody),
        new("NotificationGate.AddAsync", Admin, OfApp),
        new("NotificationGate.RemoveAsync", Admin, Anybody),
        new("NotificationGate.TryAsync", Admin, Anybody),

        new("DiagnosticsGate.LookAsync", Admin, Everywhere),

        new("RegistryGate.ListAsync", Admin, Everywhere),
        new("RegistryGate.SaveAsync", Admin, Everywhere),
        new("RegistryGate.RemoveAsync", Admin, Everywhere),
        new("RegistryGate.TestAsync", Admin, Everywhere),

        new("EngineGate.LookAsync", Viewer, Everywhere),
        new("EngineGate.PreviewAsync", Admin, Everywhere),
        new("EngineGate.PruneAsync", Admin, Everywhere),
        new("RuntimeGate.OpenAsync", Viewer, OfApp),

        new("EnvironmentBook.ListAsync", Viewer, Narrowed),
        new("EnvironmentBook.ProtectAsync", Admin, InEnvironment),
        new("EnvironmentBook.ChangeAsync", Admin, InEnvironment),
        new("EnvironmentBook.FreezeAsync", Admin, InEnvironment),
        new("EnvironmentBook.LiftAsync", Admin, InEnvironment),
        new("EnvironmentBook.ApproveAsync", AccessRole.Deployer, InEnvironment),

        new("People.ListAsync", Owner, Everywhere),
        new("People.FindAsync", Owner, Everywhere),
        new("People.RemoveAsync", Owner, Everywhere),
        new("People.GrantAsync", Owner, Everywhere),
        new("People.DisableAsync", Owner, Everywhere),
        new("People.EnableAsync", Owner, Everywhere),
        new("People.CreateOwnerAsync", Owner, Anybody),
        new("Invitations.InviteAsync", Owner, Everywhere),
        new("Invitations.ListAsync", Owner, Everywhere),
        new("Invitations.WithdrawAsync", Owner, Everywhere),
        new("Invitations.CheckAsync", Owner, Anybody),
        new("Invitations.FindAsync", Owner, Anybody),
        new("Invitations.AcceptAsync", Owner, Anybody),
        new("ApiTokens.ListAsync", Owner, Everywhere),
        new("ApiTokens.CheckAsync", Owner, Anybody),
        new("ApiTokens.CreateAsync", Owner, Everywhere),
        new("ApiTokens.RevokeAsync", Owner, Everywhere),
        new("Sessions.ListAsync", Owner, Everywhere),
        new("Sessions.EndAsync", Owner, Everywhere),
        new("Sessions.EndAllAsync", Owner, Everywhere),
        new("Sessions.SignOutAsync", Owner, Everywhere),
        new("AuditGate.SearchAsync", Owner, Everywhere),
        new("AuditGate.ExportAsync", Owner, Everywhere),
        new("OwnAccounts.SetPasswordAsync", Viewer, Anybody),
        new("OwnAccounts.AddPasskeyAsync", Viewer, Anybody),
        new("OwnAccounts.RemovePasskeyAsync", Viewer, Anybody),
        new("Sessions.OpenAsync", Owner, Anybody),
        new("Sessions.FindAsync", Owner, Anybody),
        new("Sessions.RenewAsync", Owner, Anybody),
        new("Sessions.CloseAsync", Owner, Anybody),
        new("Sessions.IsOpenAsync", Owner, Anybody),
    ];
}
