using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using Deployer.Core.Apps;
using Deployer.Core.Engine;
using Deployer.Web;
using Microsoft.AspNetCore.Components;

namespace Deployer.Tests.Architecture;

/// <summary>The rules of the solution's layout and of its code which no compiler checks.</summary>
public sealed partial class ArchitectureTests
{
    private const int MaxLines = 400;

    private static readonly Assembly Core = typeof(AppCatalog).Assembly;
    private static readonly Assembly Web = typeof(DeployerApp).Assembly;

    private static readonly string[] ForbiddenFolders = ["Helpers", "Utils", "Utilities", "Models", "Common", "Services", "Misc", "Shared"];

    /// <summary>Classes that others derive from on purpose, each with a reason in its documentation.</summary>
    private static readonly Type[] Bases = [typeof(EngineException)];

    [Fact]
    public void Core_References_NeitherWebNorPages() =>
        SourceTree.AssertNone(
            Core.GetReferencedAssemblies().Select(reference => reference.Name!).Where(name =>
                name.StartsWith("Deployer", StringComparison.Ordinal)
                || name.StartsWith("Microsoft.AspNetCore.Http", StringComparison.Ordinal)
                || name.StartsWith("Microsoft.AspNetCore.Components", StringComparison.Ordinal)
                || name.StartsWith("Microsoft.AspNetCore.Mvc", StringComparison.Ordinal)
                || name.StartsWith("Microsoft.AspNetCore.Routing", StringComparison.Ordinal)
                || name.StartsWith("MudBlazor", StringComparison.Ordinal)
                || name.StartsWith("Yarp", StringComparison.Ordinal)),
            "Deployer.Core is the product without its outside: it knows neither Deployer.Web nor HTTP requests nor pages.");

    [Fact]
    public void Web_References_NoDatabaseLibrary() =>
        SourceTree.AssertNone(
            Web.GetReferencedAssemblies().Select(reference => reference.Name!).Where(name =>
                name.StartsWith("Microsoft.EntityFrameworkCore", StringComparison.Ordinal) || name.Contains("Sqlite", StringComparison.OrdinalIgnoreCase)),
            "The database is Deployer.Core's affair.");

    [Fact]
    public void DockerLibrary_IsSeen_ByEngineDockerAlone() =>
        SourceTree.AssertNone(
            SourceTree.Product.Where(file => !file.IsIn("Deployer.Core/Engine/Docker") && file.Text.Contains("Docker.DotNet", StringComparison.Ordinal)).Select(file => file.Path)
                .Concat(Web.GetReferencedAssemblies().Where(reference => reference.Name == "Docker.DotNet").Select(reference => reference.FullName)),
            "Only Deployer.Core/Engine/Docker sees Docker.DotNet; everybody else asks IContainerEngine.");

    [Fact]
    public void Web_Calls_NobodyOverHttp() =>
        SourceTree.AssertNone(
            SourceTree.Product.Where(file => file.IsIn("Deployer.Web") && !file.IsIn("Deployer.Web/Features/Proxy") && HttpClientUse().IsMatch(file.Text)).Select(file => file.Path),
            "Pages and API call the same classes; no HTTP call to oneself.");

    [Fact]
    public void Folders_AreNamed_AfterWhatAUserSees() =>
        SourceTree.AssertNone(
            SourceTree.All.Where(file => file.Path.Split('/').SkipLast(1).Any(part => ForbiddenFolders.Contains(part, StringComparer.OrdinalIgnoreCase))).Select(file => file.Path),
            $"No folder is called {string.Join(", ", ForbiddenFolders)}.");

    [Fact]
    public void Classes_AreSealed_UnlessTheySayWhy() =>
        SourceTree.AssertNone(
            Core.GetTypes().Concat(Web.GetTypes())
                .Where(type => type is { IsClass: true, IsSealed: false, IsAbstract: false }
                    && !type.IsDefined(typeof(CompilerGeneratedAttribute), inherit: false)
                    && type.Namespace is { } space && space.StartsWith("Deployer", StringComparison.Ordinal) && !space.EndsWith(".Migrations", StringComparison.Ordinal)
                    && !typeof(IComponent).IsAssignableFrom(type) && type.Name != "_Imports" && !Bases.Contains(type))
                .Select(type => type.FullName!),
            "Classes are sealed, or abstract or static, or listed here as bases.");

    [Fact]
    public void Time_IsRead_FromTimeProvider() =>
        SourceTree.AssertNone(
            SourceTree.Product.Where(file => file.Path.EndsWith(".cs", StringComparison.Ordinal) || file.Path.EndsWith(".razor", StringComparison.Ordinal))
                .SelectMany(file => WallClock().Matches(WithoutComments(file.Text)).Select(match => $"{file.Path}: {match.Value}")),
            "No clock, delay or timer without a TimeProvider: tests turn the time.");

    // The script of a component is one module, however much of the browser it has to deal with.
    [Fact]
    public void Files_AreShort() =>
        SourceTree.AssertNone(
            SourceTree.All.Where(file => !file.Path.EndsWith(".razor.js", StringComparison.Ordinal) && file.CodeLines > MaxLines).Select(file => $"{file.Path}: {file.CodeLines} lines"),
            $"A file has at most {MaxLines} lines that are neither blank nor comment.");

    [Fact]
    public void LogText_IsNever_Markup() =>
        SourceTree.AssertNone(
            SourceTree.Product.Where(file => file.Text.Contains("MarkupString", StringComparison.Ordinal) || file.Text.Contains("innerHTML", StringComparison.Ordinal)).Select(file => file.Path),
            "What others wrote is never put into a page as markup.");

    [Fact]
    public void Scripts_Leave_WindowAlone() =>
        SourceTree.AssertNone(
            SourceTree.Product.Where(file => file.Path.EndsWith(".js", StringComparison.Ordinal))
                .SelectMany(file => WindowAssignment().Matches(file.Text).Select(match => $"{file.Path}: {match.Value}")),
            "A script is a module beside its component and puts nothing on window.");

    [Fact]
    public void Tests_Never_SleepNorSkip() =>
        SourceTree.AssertNone(
            SourceTree.All.Where(file => file.IsIn("Deployer.Tests") && !file.IsIn("Deployer.Tests/Architecture"))
                .SelectMany(file => SleepOrSkip().Matches(WithoutComments(file.Text)).Select(match => $"{file.Path}: {match.Value}")),
            "Tests wait on signals or turn a fake clock, and none is skipped.");

    private static string WithoutComments(string text) => LineComment().Replace(text, "");

    [GeneratedRegex(@"//[^\n]*", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 5000)]
    private static partial Regex LineComment();

    [GeneratedRegex(@"\bHttpClient\b|\bIHttpClientFactory\b", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 5000)]
    private static partial Regex HttpClientUse();

    // A Task.Delay, PeriodicTimer or timed CancellationTokenSource has the clock as its second argument.
    [GeneratedRegex(
        @"\bDateTime(Offset)?\.(UtcNow|Now|Today)\b|\bStopwatch\b|\bEnvironment\.TickCount|\bThread\.Sleep\b|\bSystemClock\.Instance\b|\bnew (System\.Threading\.)?Timer\(|\bTask\.Delay\((?![^;]*\b_?([Tt]ime|[Cc]lock)(Provider)?\b)[^;]*|\bnew PeriodicTimer\((?![^;]*\b_?([Tt]ime|[Cc]lock)(Provider)?\b)[^;]*|\bnew CancellationTokenSource\((TimeSpan|[0-9])(?![^;]*\b_?([Tt]ime|[Cc]lock)(Provider)?\b)[^;]*",
        RegexOptions.ExplicitCapture,
        matchTimeoutMilliseconds: 5000)]
    private static partial Regex WallClock();

    [GeneratedRegex(@"\b(window|globalThis)(\.\w+)+\s*=[^=]", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 5000)]
    private static partial Regex WindowAssignment();

    [GeneratedRegex(@"\bThread\.Sleep\b|\bTask\.Delay\((?!Timeout\.Infinite|[^;]*\b_?([Tt]ime|[Cc]lock)(Provider)?\b)|\bSkip\s*=\s*""", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 5000)]
    private static partial Regex SleepOrSkip();
}
