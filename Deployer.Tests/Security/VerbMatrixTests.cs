using System.Collections;
using System.Reflection;
using System.Text.Json;
using Deployer.Core.Access;
using Deployer.Core.Apps;
using Deployer.Core.Audit;
using Deployer.Core.Data;
using Deployer.Core.Deployments;
using Deployer.Core.Notifications;
using Deployer.Tests.Fakes;
using Microsoft.Extensions.DependencyInjection;
using NodaTime;

namespace Deployer.Tests.Security;

/// <summary>
/// Every verb behind pages and API against every role and environment, called without the policies of endpoints and
/// pages in front: Core refuses by itself.
/// </summary>
public sealed class VerbMatrixTests(GuardedServer server) : IClassFixture<GuardedServer>
{
    private const string Here = "staging";
    private const string Elsewhere = "production";

    /// <summary>Writes down what it is told; whoever tells has asked already.</summary>
    private static readonly Type[] NoVerbs = [typeof(AuditLog)];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public void Verbs_EachHaveARow()
    {
        var verbs = Verbs().Select(Name).ToHashSet(StringComparer.Ordinal);
        var rows = VerbTable.Rows.Select(row => row.Verb).ToHashSet(StringComparer.Ordinal);

        Assert.Empty(verbs.Except(rows, StringComparer.Ordinal).Select(verb => $"Say in {nameof(VerbTable)} who may do this: new(\"{verb}\", Viewer, OfApp),"));
        Assert.Empty(rows.Except(verbs, StringComparer.Ordinal));
    }

    [Fact]
    public async Task Verbs_ByEveryRole_EndAsTheTableSays()
    {
        var wrong = new List<string>();
        Target[] shared = [await server.AddTargetAsync(Here, Cancellation), await server.AddTargetAsync(Elsewhere, Cancellation)];
        var verbs = Verbs().ToLookup(Name, StringComparer.Ordinal);
        foreach (var row in VerbTable.Rows.Where(row => row.Scope != VerbScope.Anybody))
        {
            foreach (var verb in verbs[row.Verb])
            {
                foreach (var (role, environment) in Callers())
                {
                    foreach (var where in shared)
                    {
                        // What changes something may use its app up.
                        var expected = Expect(row, role, environment, where);
                        var isSpent = expected == Verdict.LetIn && row.Role > AccessRole.Viewer;
                        var target = isSpent ? await server.AddTargetAsync(where.Environment, Cancellation) : where;
                        if (row.After is { } first)
                        {
                            await TryAsync(verbs[first].First(), row, AccessRole.Owner, environment: null, target);
                        }

                        var seen = await TryAsync(verb, row, role, environment, target);
                        if (seen != expected)
                        {
                            wrong.Add($"{row.Verb} in {where.Environment} by {role} of {environment ?? "every environment"}: {expected} wanted, but {seen}");
                        }
                    }
                }
            }
        }

        Assert.True(wrong.Count == 0, string.Join('\n', wrong.Take(60)));
    }

    private static IEnumerable<(AccessRole Role, string? Environment)> Callers() =>
        from role in Enum.GetValues<AccessRole>()
        from environment in role == AccessRole.Owner ? new string?[] { null } : [Here, null]
        select (role, environment);

    private static Verdict Expect(VerbRow row, AccessRole role, string? environment, Target target)
    {
        var isEnough = role >= row.Role;
        var isHere = environment is null || environment == target.Environment;
        return row.Scope switch
        {
            VerbScope.Everywhere => isEnough && environment is null ? Verdict.LetIn : Verdict.Denied,
            VerbScope.InEnvironment => isEnough && isHere ? Verdict.LetIn : Verdict.Denied,
            VerbScope.Narrowed => isHere && isEnough ? Verdict.LetIn : Verdict.Hidden,
            _ when !isHere => Verdict.Hidden,
            _ => isEnough ? Verdict.LetIn : Verdict.Denied,
        };
    }

    private async Task<Verdict> TryAsync(MethodInfo verb, VerbRow row, AccessRole role, string? environment, Target target)
    {
        var actor = new Actor(ActorKind.Token, $"token:{Guid.NewGuid():N}", "somebody", "192.0.2.1", [new AccessGrant(role, environment, null)]);
        PlayedActor.Play(actor);
        await using var scope = server.Services.CreateAsyncScope();
        var gate = scope.ServiceProvider.GetRequiredService(verb.DeclaringType!);
        var arguments = verb.GetParameters().Select(parameter => Argument(parameter, actor, target)).ToArray();
        object? result;
        try
        {
            result = await FinishAsync(verb.Invoke(gate, arguments));
        }
        catch (Exception exception)
        {
            // What goes wrong after the question of access is no refusal.
            return (exception as TargetInvocationException)?.InnerException is AccessDeniedException || exception is AccessDeniedException
                ? Verdict.Denied
                : Verdict.LetIn;
        }

        if (row.Scope == VerbScope.Narrowed)
        {
            var text = JsonSerializer.Serialize(result, DeployerJson.Options);
            return text.Contains(target.App, StringComparison.Ordinal) || text.Contains($"\"{target.Environment}\"", StringComparison.Ordinal) ? Verdict.LetIn : Verdict.Hidden;
        }

        return row.Scope == VerbScope.OfApp && IsNothing(result) ? Verdict.Hidden : Verdict.LetIn;
    }

    private static bool IsNothing(object? result) => result switch
    {
        null or false => true,
        string => false,
        Enum word => Enum.GetNames(word.GetType()) is var words
            && word.ToString() == (Array.Find(words, name => name is "AppUnknown" or "DeploymentUnknown") ?? "Unknown"),
        IEnumerable => false,
        _ => result.GetType().Name.EndsWith("Unknown", StringComparison.Ordinal),
    };

    private static async Task<object?> FinishAsync(object? answer)
    {
        if (answer is not Task task)
        {
            return answer;
        }

        await task;
        return task.GetType().GetProperty("Result")?.GetValue(task);
    }

    private static object? Argument(ParameterInfo parameter, Actor actor, Target target) => parameter.ParameterType switch
    {
        var type when type == typeof(CancellationToken) => Cancellation,
        var type when type == typeof(Actor) => actor,
        var type when type == typeof(long) => target.Deployment,
        var type when type == typeof(Guid) => Guid.NewGuid(),
        var type when type == typeof(int) => 1,
        var type when type == typeof(string) => parameter.Name switch
        {
            "environment" => target.Environment,
            "app" or "appName" or "name" when parameter.Position == 0 || parameter.Name != "name" => target.App,
            "email" => "somebody@example.com",
            "host" => "registry.test",
            _ => "word",
        },
        var type when type == typeof(AppDraft) => new AppDraft
        {
            Name = parameter.Position == 0 ? ServerFixture.NewName() : target.App,
            Image = "web:v2",
            Environment = target.Environment,
        },
        var type when type == typeof(DeploymentRequest) => new DeploymentRequest(null, null, null, null),
        var type when type == typeof(NotificationTargetDraft) => new NotificationTargetDraft(
            "chat", NotificationKind.Slack, "https://chat.test/x", target.App, null, NotificationEvents.Failed),
        var type when type == typeof(DeploymentFilter) => new DeploymentFilter(null, null, null, 500),
        var type when type == typeof(Interval) => new Interval(Instant.FromUnixTimeSeconds(1), Instant.FromUnixTimeSeconds(2)),
        var type when type.IsValueType => Activator.CreateInstance(type),
        _ => null,
    };

    private static string Name(MethodInfo verb) => $"{verb.DeclaringType!.Name}.{verb.Name}";

    private static IEnumerable<MethodInfo> Verbs() =>
        from type in typeof(AppGate).Assembly.GetTypes()
        where type is { IsClass: true, IsAbstract: false } && !NoVerbs.Contains(type) && !type.IsDefined(typeof(System.Runtime.CompilerServices.CompilerGeneratedAttribute), inherit: false)
        let methods = type.GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly).Where(method => !method.IsSpecialName).ToList()
        where type.GetConstructors(BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance).Any(constructor => Takes(constructor, typeof(ICurrentActor))) || methods.Exists(method => Takes(method, typeof(Actor)))
        from method in methods
        where typeof(Task).IsAssignableFrom(method.ReturnType) || method.ReturnType.Name.StartsWith("IAsyncEnumerable", StringComparison.Ordinal)
        select method;

    private static bool Takes(MethodBase method, Type type) => method.GetParameters().Any(parameter => parameter.ParameterType == type);
}
