using System.Net;
using System.Net.Http.Json;
using Deployer.Tests.Fakes;

namespace Deployer.Tests.Security;

/// <summary>Before there is an owner, whoever sits at the machine may do everything. Nobody else can pass for them.</summary>
public sealed class FirstRunFromAfarTests
{
    private static readonly (string Name, string Value)[] Lies =
    [
        ("X-Forwarded-For", "127.0.0.1"), ("X-Forwarded-For", "::1"), ("X-Forwarded-For", "127.0.0.1, 127.0.0.1"),
        ("X-Forwarded-For", "203.0.113.9, 127.0.0.1"), ("X-Real-IP", "127.0.0.1"), ("Forwarded", "for=127.0.0.1"),
        ("True-Client-IP", "127.0.0.1"), ("X-Original-For", "127.0.0.1"),
    ];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Stranger_WithWhateverHeaders_IsNotAtTheMachine_AndIsAskedForTheCode()
    {
        await using var open = await StartAsync(trusted: null);
        await using var behind = await StartAsync(trusted: "10.0.0.0/8");
        foreach (var server in new[] { open, behind })
        {
            Assert.Equal(HttpStatusCode.Unauthorized, await AskAsync(server, "203.0.113.9", []));
            foreach (var lie in Lies)
            {
                // From anywhere, and through a proxy on the machine that nobody named.
                Assert.Equal((lie, HttpStatusCode.Unauthorized), (lie, await AskAsync(server, "203.0.113.9", [lie])));
                Assert.Equal((lie, HttpStatusCode.Unauthorized), (lie, await AskAsync(server, "127.0.0.1", [lie])));
                Assert.Contains("Setup code", await ReadAsync(server, "203.0.113.9", lie), StringComparison.Ordinal);
            }

            // Nothing else was in the way.
            Assert.Equal(HttpStatusCode.Created, await AskAsync(server, "127.0.0.1", []));
            Assert.DoesNotContain("Setup code", await ReadAsync(server, "127.0.0.1", ("Accept", "*/*")), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Stranger_BehindATrustedProxy_IsNotAtTheMachine_WhateverTheProxySaysOfThem()
    {
        await using var server = await StartAsync(trusted: "10.0.0.0/8");
        foreach (var lie in Lies)
        {
            Assert.Equal((lie, HttpStatusCode.Unauthorized), (lie, await AskAsync(server, "10.1.1.1", [lie])));
        }

        Assert.Equal(
            HttpStatusCode.Unauthorized,
            await AskAsync(server, "10.1.1.1", [("X-Forwarded-For", "127.0.0.1"), ("X-Forwarded-Host", "127.0.0.1"), ("X-Forwarded-Proto", "http")]));
    }

    private static async Task<GuardedServer> StartAsync(string? trusted)
    {
        var settings = new Dictionary<string, string>(StringComparer.Ordinal) { ["Auth:BootstrapToken"] = "" };
        if (trusted is not null)
        {
            settings["Forwarding:TrustedProxies:0"] = trusted;
        }

        var server = new GuardedServer(settings);
        await server.InitializeAsync();
        return server;
    }

    private static async Task<HttpStatusCode> AskAsync(GuardedServer server, string from, (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/apps")
        {
            Content = JsonContent.Create(new { name = ServerFixture.NewName(), image = "web:v1" }),
        };
        request.Headers.Add(PlayedAddress.Header, from);
        Array.ForEach(headers, header => request.Headers.TryAddWithoutValidation(header.Name, header.Value));
        using var response = await server.Client.SendAsync(request, Cancellation);
        return response.StatusCode;
    }

    private static async Task<string> ReadAsync(GuardedServer server, string from, (string Name, string Value) header)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/account/setup");
        request.Headers.Add(PlayedAddress.Header, from);
        request.Headers.TryAddWithoutValidation(header.Name, header.Value);
        using var response = await server.Client.SendAsync(request, Cancellation);
        return await response.Content.ReadAsStringAsync(Cancellation);
    }
}
