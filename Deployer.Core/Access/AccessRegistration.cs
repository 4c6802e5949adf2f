using Deployer.Core.Audit;
using Deployer.Core.Comments;
using Deployer.Core.Data;
using Deployer.Core.Deployments;
using Deployer.Core.Engine;
using Deployer.Core.Environments;
using Deployer.Core.Runner;
using Deployer.Core.Statistics;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Deployer.Core.Access;

/// <summary>Registers people, roles, tokens, sessions and the audit log.</summary>
public static class AccessRegistration
{
    /// <summary>
    /// Registers everything of this folder and of <c>Audit</c>. Needs the database, and data protection for the tokens
    /// of Identity; whoever hosts registers an <see cref="ICurrentActor"/>.
    /// </summary>
    public static IServiceCollection AddAccess(this IServiceCollection services)
    {
        services.AddOptions<AuthOptions>()
            .BindConfiguration(AuthOptions.Section)
            .ValidateDataAnnotations()
            .ValidateOnStart();

        services.AddIdentityCore<Person>(options =>
            {
                options.Stores.SchemaVersion = IdentitySchemaVersions.Version3;
                options.User.RequireUniqueEmail = true;

                // The user name is the e-mail address, which is checked as such.
                options.User.AllowedUserNameCharacters = "";
                options.Password.RequiredLength = GuessablePasswordValidator.MinimumLength;
                options.Password.RequiredUniqueChars = 5;
                options.Password.RequireDigit = false;
                options.Password.RequireLowercase = false;
                options.Password.RequireUppercase = false;
                options.Password.RequireNonAlphanumeric = false;
                options.Lockout.MaxFailedAccessAttempts = 10;
                options.Lockout.DefaultLockoutTimeSpan = TimeSpan.FromMinutes(15);
            })
            .AddPasswordValidator<GuessablePasswordValidator>()
            .AddEntityFrameworkStores<DeployerDb>();

        // OWASP's figure for PBKDF2 with HMAC-SHA512, as of its password storage cheat sheet.
        services.Configure<PasswordHasherOptions>(options => options.IterationCount = 210_000);

        services.TryAddSingleton<AuditLog>();
        services.AddSingleton<AccessFeed>();
        services.AddSingleton<ActorDirectory>();
        services.AddSingleton<ApiTokens>();
        services.AddSingleton<FirstRun>();
        services.AddSingleton<Sessions>();
        services.AddSingleton<People>();
        services.AddSingleton<Invitations>();
        services.AddSingleton<ExternalSignIns>();
        services.AddScoped<OwnAccounts>();
        services.AddSingleton<AccessSubjects>();
        services.AddSingleton<EnvironmentBook>();
        services.TryAddSingleton<PresenceBook>();
        services.AddScoped<CommentBook>();
        services.AddScoped<AuditGate>();
        services.AddScoped<AppGate>();
        services.AddScoped<OverviewGate>();
        services.AddScoped<PlanGate>();
        services.AddScoped<DeploymentGate>();
        services.AddScoped<LogPinGate>();
        services.AddScoped<OperationGate>();
        services.AddScoped<SecretGate>();
        services.AddScoped<RegistryGate>();
        services.AddSingleton<StatisticsReader>();
        services.AddScoped<StatisticsGate>();
        services.AddSingleton<EnginePruning>();
        services.AddOptions<RunnerOptions>().BindConfiguration(RunnerOptions.Section);
        services.AddScoped<EngineGate>();
        services.AddSingleton<ContainerUse>();
        services.AddSingleton<ContainerOutputs>();
        services.AddScoped<RuntimeGate>();
        return services;
    }
}
