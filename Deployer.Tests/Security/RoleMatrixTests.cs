using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using Deployer.Core.Access;
using Deployer.Tests.Fakes;
using Deployer.Web.Features.Security;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Components.Endpoints;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.StaticAssets;
using Microsoft.Extensions.DependencyInjection;

namespace Deployer.Tests.Security;

/// <summary>Every endpoint and page, as the server maps them, against every role, environment and way to prove who one is.</summary>
public sealed partial class RoleMatrixTests(GuardedServer server) : IClassFixture<GuardedServer>
{
    private const string Here = "staging";
    private const string Elsewhere = "production";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public void Endpoints_AndPages_EachHaveARow()
    {
        var mapped = Mapped().Select(endpoint => endpoint.Key).ToHashSet(StringComparer.Ordinal);
        var rows = AccessTable.Rows.Select(row => row.Key).ToHashSet(StringComparer.Ordinal);

        var missing = Mapped().Where(endpoint => !rows.Contains(endpoint.Key)).Select(endpoint =>
            $"{endpoint.Key}: say in {nameof(AccessTable)} who may use it, e.g. new(\"{endpoint.Key.Split(' ')[0]}\", \"{endpoint.Key.Split(' ')[1]}\", "
            + $"{endpoint.Access?.Role.ToString() ?? "null"}, {endpoint.Access?.Scope.ToString() ?? "null"}),");
        Assert.Empty(missing);
        Assert.Empty(rows.Except(mapped, StringComparer.Ordinal));
        Assert.Equal(rows.Count, AccessTable.Rows.Length);
    }

    [Fact]
    public void Endpoints_AndPages_AskForTheRoleOfTheirRow()
    {
        var wrong = from endpoint in Mapped()
                    join row in AccessTable.Rows on endpoint.Key equals row.Key
                    let asks = endpoint.IsOpen ? "anybody" : endpoint.Access is { } access ? $"{access.Role} {access.Scope}" : "somebody known"
                    let wanted = row.AnybodyKnown ? "somebody known" : row.Scope is null ? "anybody" : $"{row.Role} {row.Scope}"
                    where asks != wanted
                    select $"{endpoint.Key} asks for {asks}, not for {wanted}";
        Assert.Empty(wrong);
    }

    [Fact]
    public void Assets_AreOpen_AndAnswerGetAlone()
    {
        var assets = Endpoints().Where(endpoint => endpoint.Metadata.GetMetadata<StaticAssetDescriptor>() is not null).ToList();

        Assert.NotEmpty(assets);
        Assert.All(assets, asset => Assert.True(asset.Metadata.GetMetadata<IAllowAnonymous>() is not null, asset.RoutePattern.RawText));
        Assert.All(assets, asset => Assert.Empty(asset.Metadata.GetRequiredMetadata<HttpMethodMetadata>().HttpMethods.Except(["GET", "HEAD"], StringComparer.Ordinal)));
    }

    [Fact]
    public async Task Calls_ByEveryRole_EndAsTheTableSays()
    {
        var here = await server.AddTargetAsync(Here, Cancellation);
        var elsewhere = await server.AddTargetAsync(Elsewhere, Cancellation);
        var callers = await CallersAsync(here);
        var wrong = new List<string>();
        var calls = 0;
        foreach (var row in AccessTable.Rows)
        {
            foreach (var caller in callers)
            {
                foreach (var target in IsAboutATarget(row) ? new[] { here, elsewhere } : [here])
                {
                    calls++;
                    if (await TryAsync(row, caller, target) is { } fault)
                    {
                        wrong.Add(fault);
                    }
                }
            }
        }

        Assert.True(wrong.Count == 0, $"{wrong.Count} of {calls} calls:\n{string.Join('\n', wrong.Take(60))}");
        TestContext.Current.SendDiagnosticMessage("{0} calls of {1} endpoints by {2} callers", calls, AccessTable.Rows.Length, callers.Count);
    }

    private static bool IsAboutATarget(AccessRow row) =>
        row.NamesTarget || row.Scope is AccessScope.App or AccessScope.Deployment or AccessScope.Environment;

    /// <summary>What went otherwise than it should; <see langword="null"/> for nothing.</summary>
    private async Task<string?> TryAsync(AccessRow row, Caller caller, Target target)
    {
        var expected = caller.Expect(row, target);
        if (row.UsesUp && expected == Verdict.LetIn && caller.App is null)
        {
            target = await server.AddTargetAsync(target.Environment, Cancellation);
        }

        using var request = new HttpRequestMessage(new HttpMethod(row.Method == "PAGE" ? "GET" : row.Method), Fill(row.Path, row, target) + row.Query);
        if (row.Body is { } body)
        {
            request.Content = new StringContent(Fill(body, row, target).Replace("{new}", ServerFixture.NewName(), StringComparison.Ordinal), Encoding.UTF8, "application/json");
        }

        caller.Sign(request);
        using var response = await server.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancellation);
        var isEndless = response.Content.Headers.ContentType?.MediaType == "text/event-stream";
        var text = isEndless || response.IsSuccessStatusCode ? "" : await response.Content.ReadAsStringAsync(Cancellation);
        var verdict = Caller.Read(response.StatusCode, text, response.Headers.Location);
        return verdict == expected && response.StatusCode != HttpStatusCode.InternalServerError
            ? null
            : $"{row.Key} in {target.Environment} by {caller}: {expected} wanted, but {verdict} ({(int)response.StatusCode}) {text}";
    }

    private static string Fill(string text, AccessRow row, Target target) => Placeholder().Replace(text, match => match.Groups["name"].Value switch
    {
        "app" or "Name" or "App" => target.App,
        "id" when row.Scope == AccessScope.Deployment => $"{target.Deployment}",
        "Id" => $"{target.Deployment}",
        "environment" or "Environment" => target.Environment,
        "new" => match.Value,
        "documentName" => "v1",
        "host" => "registry.test",
        "name" => "NAME",
        _ => "999999",
    });

    private async Task<IReadOnlyList<Caller>> CallersAsync(Target here)
    {
        var callers = new List<Caller> { new(null, null, null, ByCookie: false) };
        foreach (var role in Enum.GetValues<AccessRole>())
        {
            foreach (var environment in role == AccessRole.Owner ? new string?[] { null } : [Here, null])
            {
                var token = await server.AddTokenAsync(role, environment, app: null, Cancellation);
                callers.Add(new(role, environment, null, ByCookie: false) { Proof = token });
                var (_, email) = await server.AddPersonAsync(role, environment, "Somebody", Cancellation);
                callers.Add(new(role, environment, null, ByCookie: true) { Proof = await server.SignInAsync(email, Cancellation) });
            }
        }

        var forApp = await server.AddTokenAsync(AccessRole.Deployer, Here, here.App, Cancellation);
        callers.Add(new(AccessRole.Deployer, Here, here.App, ByCookie: false) { Proof = forApp });
        return callers;
    }

    private IEnumerable<RouteEndpoint> Endpoints() =>
        server.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>();

    /// <summary>All but the files of pages and what the framework maps for its own connections.</summary>
    private IEnumerable<(string Key, AccessAttribute? Access, bool IsOpen)> Mapped() =>
        from endpoint in Endpoints()
        let path = "/" + endpoint.RoutePattern.RawText!.Trim('/')
        where endpoint.Metadata.GetMetadata<StaticAssetDescriptor>() is null
            && !path.StartsWith("/_blazor", StringComparison.Ordinal) && !path.StartsWith("/_framework", StringComparison.Ordinal)

            // In development, the framework looks for assets that were added since the build.
            && path != "/{**path:file}"
        let isPage = endpoint.Metadata.GetMetadata<ComponentTypeMetadata>() is not null
        from method in isPage ? ["PAGE"] : endpoint.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods ?? ["GET"]
        where method != "HEAD"
        select ($"{method} {path}", endpoint.Metadata.GetMetadata<AccessAttribute>(), endpoint.Metadata.GetMetadata<IAllowAnonymous>() is not null);

    [GeneratedRegex(@"\{\*{0,2}(?<name>\w+)(:\w+)?\}", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Placeholder();
}
