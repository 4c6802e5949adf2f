using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Deployer.Core.Access;
using Deployer.Tests.Fakes;
using Deployer.Tests.Security;
using Microsoft.Extensions.DependencyInjection;

namespace Deployer.Tests.Notifications;

/// <summary>Invitations by mail, with a mail server that is there, refuses, or is not set.</summary>
public sealed class InvitationMailTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Invitation_WhereAMailServerIsSet_IsSent_AndItsLinkWorks()
    {
        await using var mail = new MailReceiver();
        await using var server = await StartAsync(mail, dashboard: null);

        var made = await InviteAsync(server, "dora@example.com");

        Assert.True(made.GetProperty("mailed").GetBoolean());
        Assert.Equal(JsonValueKind.Null, made.GetProperty("mail_error").ValueKind);
        var link = made.GetProperty("link").GetString()!;
        var sent = await mail.NextAsync(Cancellation);
        Assert.Contains("To: dora@example.com", sent, StringComparison.Ordinal);
        Assert.Contains("Subject: You are invited to Deployer", sent, StringComparison.Ordinal);
        Assert.Contains(link, sent.Replace("=\n", "", StringComparison.Ordinal).Replace("=3D", "=", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.NotNull(await server.Services.GetRequiredService<Invitations>().FindAsync(link.Split('/')[^1], Cancellation));
    }

    [Fact]
    public async Task Invitation_ThatTheMailServerRefuses_IsMadeAllTheSame_AndSaysSo()
    {
        await using var mail = new MailReceiver { RecipientAnswer = "550 no such person" };
        await using var server = await StartAsync(mail, dashboard: null);

        var made = await InviteAsync(server, "nobody@example.com");

        Assert.False(made.GetProperty("mailed").GetBoolean());
        Assert.Contains("550", made.GetProperty("mail_error").GetString(), StringComparison.Ordinal);
        Assert.DoesNotContain("no such person", made.ToString(), StringComparison.Ordinal);
        Assert.NotNull(await server.Services.GetRequiredService<Invitations>().FindAsync(made.GetProperty("link").GetString()!.Split('/')[^1], Cancellation));
    }

    [Fact]
    public async Task Link_InTheMail_LeadsToTheDashboardOfTheSettings()
    {
        await using var mail = new MailReceiver();
        await using var server = await StartAsync(mail, dashboard: "https://deploy.example.com/");

        var made = await InviteAsync(server, "dora@example.com");

        var key = made.GetProperty("link").GetString()!.Split('/')[^1];
        Assert.Contains($"https://deploy.example.com/account/invitation/{key}", (await mail.NextAsync(Cancellation)).Replace("=\n", "", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Invitation_WithoutMailServer_ShowsTheLink()
    {
        await using var server = new GuardedServer();
        await server.InitializeAsync();

        var made = await InviteAsync(server, "dora@example.com");

        Assert.Equal((false, JsonValueKind.Null), (made.GetProperty("mailed").GetBoolean(), made.GetProperty("mail_error").ValueKind));
        Assert.Contains("/account/invitation/", made.GetProperty("link").GetString(), StringComparison.Ordinal);
    }

    private static async Task<GuardedServer> StartAsync(MailReceiver mail, string? dashboard)
    {
        var settings = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["Smtp:Host"] = "127.0.0.1",
            ["Smtp:Port"] = $"{mail.Port}",
            ["Smtp:Security"] = "None",
            ["Smtp:From"] = "deployer@example.com",
        };
        if (dashboard is not null)
        {
            settings["Notifications:DashboardUrl"] = dashboard;
        }

        var server = new GuardedServer(settings);
        await server.InitializeAsync();
        return server;
    }

    private static async Task<JsonElement> InviteAsync(GuardedServer server, string email)
    {
        using var request = GuardedServer.ByOwner(HttpMethod.Post, "/api/invitations");
        request.Content = JsonContent.Create(new { email, role = "viewer" });
        using var response = await server.Client.SendAsync(request, Cancellation);
        return await response.ReadAsync(HttpStatusCode.Created, Cancellation);
    }
}
