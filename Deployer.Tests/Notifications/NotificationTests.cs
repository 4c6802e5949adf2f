using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Deployer.Core.Access;
using Deployer.Core.Deployments;
using Deployer.Core.Notifications;
using Microsoft.AspNetCore.Http;
using NodaTime;

namespace Deployer.Tests.Notifications;

/// <summary>From the end of a deployment to a real receiver.</summary>
public sealed class NotificationTests
{
    private const NotificationEvents All =
        NotificationEvents.Succeeded | NotificationEvents.Failed | NotificationEvents.Canceled | NotificationEvents.ApprovalWanted;

    private static readonly Dictionary<string, string?> Settings = new(StringComparer.Ordinal)
    {
        ["Notifications:DashboardUrl"] = "https://deploy.example.com/",
    };

    private static readonly DeploymentFailure Failure = new(
        FailureCode.ContainerExited, "The container exited with code 3.", "See its log.", new FailureEvidence(3, false, null, ["\u001b[31mno such table <users> & s3ntinel-value\u001b[0m"]));

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Webhook_OfAFailure_IsSignedAndTellsAllButSecrets()
    {
        await using var world = await NotificationWorld.CreateAsync(Settings);
        await using var receiver = await WebReceiver.StartAsync();
        var (_, secret) = await world.AddTargetAsync(Draft(NotificationKind.Webhook, receiver.Address + "/in?key=abc"));
        var id = await world.EndAsync("production", "fix\r\nX-Evil: 1 s3ntinel-value", DeploymentStatus.Failed, Failure);

        await world.Sender.SendDueAsync(Ct);

        var got = await receiver.NextAsync(Ct);
        Assert.Equal("/in?key=abc", got.Path);
        var body = JsonSerializer.Deserialize<JsonElement>(got.Body);
        Assert.Equal("deployment.failed", body.GetProperty("event").GetString());
        Assert.Equal("production", body.GetProperty("environment").GetString());
        Assert.Equal("registry.example.com/team/web:v7", body.GetProperty("image").GetString());
        Assert.Equal("Ann", body.GetProperty("requested_by").GetString());
        Assert.Equal("The container exited with code 3. Last line: no such table <users> & ***", body.GetProperty("line").GetString());
        Assert.Equal($"https://deploy.example.com/deployments/{id}", body.GetProperty("url").GetString());
        Assert.DoesNotContain("s3ntinel", got.Body, StringComparison.Ordinal);
        Assert.DoesNotContain("X-Evil", got.Headers.Keys, StringComparer.OrdinalIgnoreCase);
        var signed = Encoding.UTF8.GetBytes($"{got.Headers["X-Deployer-Timestamp"]}.{got.Body}");
        Assert.Equal(
            "sha256=" + Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret!), signed)), got.Headers["X-Deployer-Signature-256"]);
        Assert.Equal(got.Headers["X-Deployer-Delivery"], body.GetProperty("id").GetString());
        Assert.NotNull(Assert.Single(await world.OutboxAsync()).DeliveredAt);
    }

    [Fact]
    public async Task Chats_GetTextThatMentionsAndFormatsNothing()
    {
        await using var world = await NotificationWorld.CreateAsync(Settings);
        await using var receiver = await WebReceiver.StartAsync();
        await world.AddTargetAsync(Draft(NotificationKind.Slack, receiver.Address + "/slack"));
        await world.AddTargetAsync(Draft(NotificationKind.Discord, receiver.Address + "/discord"));
        await world.EndAsync("staging", "<!channel> @everyone [x](http://evil.test) *b*", DeploymentStatus.Failed, Failure);

        await world.Sender.SendDueAsync(Ct);

        var bodies = new[] { await receiver.NextAsync(Ct), await receiver.NextAsync(Ct) }.ToDictionary(got => got.Path, got => got.Body, StringComparer.Ordinal);
        var slack = JsonSerializer.Deserialize<JsonElement>(bodies["/slack"]).GetProperty("text").GetString()!;
        Assert.StartsWith("<https://deploy.example.com/deployments/", slack, StringComparison.Ordinal);
        Assert.Contains("&lt;!channel&gt;", slack, StringComparison.Ordinal);
        Assert.Contains("no such table &lt;users&gt; &amp; ***", slack, StringComparison.Ordinal);
        var discord = JsonSerializer.Deserialize<JsonElement>(bodies["/discord"]);
        Assert.Equal(0, discord.GetProperty("allowed_mentions").GetProperty("parse").GetArrayLength());
        Assert.Contains(@"\[x\]\(http://evil.test\) \*b\*", discord.GetProperty("embeds")[0].GetProperty("description").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Email_OverSmtp_HasOneSubjectALinkAndTheSameIdEachTime()
    {
        await using var smtp = new MailReceiver();
        await using var world = await NotificationWorld.CreateAsync(new Dictionary<string, string?>(Settings, StringComparer.Ordinal)
        {
            ["Smtp:Host"] = "127.0.0.1",
            ["Smtp:Port"] = $"{smtp.Port}",
            ["Smtp:Security"] = "None",
            ["Smtp:From"] = "deployer@example.com",
            ["Smtp:UserName"] = "deployer",
            ["Smtp:Password"] = "smtp-s3ntinel",
        });
        await world.AddTargetAsync(Draft(NotificationKind.Email, "ann@example.com"));
        var id = await world.EndAsync("production", "päckchen", DeploymentStatus.Succeeded, failure: null);

        await world.Sender.SendDueAsync(Ct);

        var mail = MimeKit.MimeMessage.Load(new MemoryStream(Encoding.UTF8.GetBytes(await smtp.NextAsync(Ct))), Ct);
        Assert.Matches(@"^app-\w+ #1 succeeded in production$", mail.Subject);
        Assert.Contains($"https://deploy.example.com/deployments/{id}", mail.TextBody, StringComparison.Ordinal);
        Assert.Contains("päckchen", mail.TextBody, StringComparison.Ordinal);
        Assert.Equal($"{Assert.Single(await world.OutboxAsync()).Id}@deployer.invalid", mail.MessageId);
        Assert.Contains(smtp.Commands, command => command == "RCPT TO:<ann@example.com>");

        smtp.RecipientAnswer = "550 no such mailbox smtp-s3ntinel";
        await world.EndAsync("production", "again", DeploymentStatus.Succeeded, failure: null);
        await world.Sender.SendDueAsync(Ct);
        var refused = (await world.OutboxAsync())[1];
        Assert.Null(refused.NextAttemptAt);
        Assert.Equal("The mail server answered 550 (RecipientNotAccepted).", refused.LastError);
    }

    [Fact]
    public async Task Receiver_ThatFails_IsTriedAgainLaterAndLaterUnderTheSameId()
    {
        await using var world = await NotificationWorld.CreateAsync(Settings);
        await using var receiver = await WebReceiver.StartAsync();
        receiver.Answer = context =>
        {
            context.Response.StatusCode = 503;
            return context.Response.WriteAsync("s3ntinel of the receiver", Ct);
        };
        await world.AddTargetAsync(Draft(NotificationKind.Webhook, receiver.Address));
        await world.EndAsync("staging", "r", DeploymentStatus.Succeeded, failure: null);

        var ids = new HashSet<string>(StringComparer.Ordinal);
        var waits = new List<Duration>();
        for (var attempt = 0; attempt < NotificationSender.MaxAttempts; attempt++)
        {
            Assert.Equal(1, await world.Sender.SendDueAsync(Ct));
            ids.Add((await receiver.NextAsync(Ct)).Headers["X-Deployer-Delivery"]);
            var row = Assert.Single(await world.OutboxAsync());
            Assert.Equal("The receiver answered 503.", row.LastError);
            Assert.Equal(0, await world.Sender.SendDueAsync(Ct));
            if (row.NextAttemptAt is { } next)
            {
                var wait = next - Instant.FromDateTimeOffset(world.Access.Time.GetUtcNow());
                waits.Add(wait);
                world.Access.Time.Advance(wait.ToTimeSpan());
            }
        }

        Assert.Single(ids);
        Assert.Equal(waits.Order(), waits);
        Assert.Equal(NotificationSender.MaxAttempts - 1, waits.Count);
        Assert.True(waits.Aggregate(Duration.Zero, (sum, wait) => sum + wait) > Duration.FromHours(8));
        Assert.Null(Assert.Single(await world.OutboxAsync()).NextAttemptAt);
    }

    [Fact]
    public async Task Sender_KilledBetweenSendingAndNotingIt_SendsTheSameIdOnceMore()
    {
        await using var world = await NotificationWorld.CreateAsync(Settings);
        await using var receiver = await WebReceiver.StartAsync();
        using var kill = new CancellationTokenSource();
        receiver.Answer = async context =>
        {
            // The receiver has it all; the sender never learns.
            await kill.CancelAsync();
            context.Response.StatusCode = 204;
        };
        await world.AddTargetAsync(Draft(NotificationKind.Webhook, receiver.Address));
        await world.EndAsync("staging", "r", DeploymentStatus.Succeeded, failure: null);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => world.Sender.SendDueAsync(kill.Token));
        var first = await receiver.NextAsync(Ct);

        receiver.Answer = context =>
        {
            context.Response.StatusCode = 204;
            return Task.CompletedTask;
        };
        Assert.Equal(0, await world.Sender.SendDueAsync(Ct));
        world.Access.Time.Advance(NotificationSender.ClaimTime.ToTimeSpan());
        Assert.Equal(1, await world.Sender.SendDueAsync(Ct));

        Assert.Equal(first.Headers["X-Deployer-Delivery"], (await receiver.NextAsync(Ct)).Headers["X-Deployer-Delivery"]);
        Assert.NotNull(Assert.Single(await world.OutboxAsync()).DeliveredAt);
    }

    [Theory]
    [InlineData(302, "leads elsewhere")]
    [InlineData(404, "no such address")]
    [InlineData(400, "will not take it")]
    public async Task Receiver_ThatRefuses_IsLeftAlone(int status, string told)
    {
        await using var world = await NotificationWorld.CreateAsync(Settings);
        await using var receiver = await WebReceiver.StartAsync();
        receiver.Answer = context =>
        {
            context.Response.StatusCode = status;
            context.Response.Headers.Location = receiver.Address + "/internal";
            return Task.CompletedTask;
        };
        await world.AddTargetAsync(Draft(NotificationKind.Slack, receiver.Address + "/hook"));
        await world.EndAsync("staging", "r", DeploymentStatus.Succeeded, failure: null);
        await world.Sender.SendDueAsync(Ct);

        Assert.Equal("/hook", (await receiver.NextAsync(Ct)).Path);
        Assert.True(receiver.IsEmpty);
        var row = Assert.Single(await world.OutboxAsync());
        Assert.Null(row.NextAttemptAt);
        Assert.Contains(told, row.LastError, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Outbox_HoldsWhatEachTargetAskedFor_AndNothingOfAClaimThatWasLost()
    {
        await using var world = await NotificationWorld.CreateAsync(Settings);
        var all = (await world.AddTargetAsync(Draft(NotificationKind.Slack, "https://chat.test/1"))).Id;
        var failures = (await world.AddTargetAsync(Draft(NotificationKind.Slack, "https://chat.test/2") with { Events = NotificationEvents.Failed })).Id;
        var staging = (await world.AddTargetAsync(Draft(NotificationKind.Slack, "https://chat.test/3") with { Environment = "staging" })).Id;

        var good = await world.EndAsync("production", "r", DeploymentStatus.Succeeded, failure: null);
        var bad = await world.EndAsync("staging", "r", DeploymentStatus.Failed, Failure);
        await Assert.ThrowsAsync<ClaimLostException>(() => world.Access.Get<DeploymentLedger>().EndAsync(
            new Claim(bad, "worker"), new DeploymentEnd(DeploymentStatus.Succeeded, null, UndoPending: false), Ct));

        Assert.Equal(
            [(all, good), (all, bad), (failures, bad), (staging, bad)],
            (await world.OutboxAsync()).Select(row => (row.TargetId, row.DeploymentId)).Order());
    }

    [Fact]
    public async Task Addresses_AreStoredEncryptedAndShownAsFarAsTheHost()
    {
        await using var world = await NotificationWorld.CreateAsync(Settings);
        await world.AddTargetAsync(Draft(NotificationKind.Slack, "https://hooks.chat.test:8443/services/T0/B0/s3ntinel?x=s3ntinel"));

        var view = Assert.Single(await world.AsAsync(NotificationWorld.Owner, gate => gate.ListAsync(Ct)));
        Assert.Equal("https://hooks.chat.test:8443/…", view.Address);
        await using var db = await world.Access.DbAsync();
        Assert.DoesNotContain("s3ntinel", Encoding.Latin1.GetString(db.Set<NotificationTarget>().Single().Address), StringComparison.Ordinal);
        Assert.DoesNotContain(db.Set<Deployer.Core.Audit.AuditEntry>().Select(entry => entry.After).ToList(), after => after?.Contains("s3ntinel", StringComparison.Ordinal) is true);
    }

    [Fact]
    public async Task Targets_AreFor_AdminsOfWhatTheyAreAbout()
    {
        await using var world = await NotificationWorld.CreateAsync(Settings);
        var everything = (await world.AddTargetAsync(Draft(NotificationKind.Slack, "https://chat.test/1"))).Id;
        var staging = (await world.AddTargetAsync(Draft(NotificationKind.Slack, "https://chat.test/2") with { Environment = "staging" })).Id;
        var admin = Somebody(AccessRole.Admin, "staging");
        var deployer = Somebody(AccessRole.Deployer, null);

        Assert.Equal([staging], (await world.AsAsync(admin, gate => gate.ListAsync(Ct))).Select(target => target.Id));
        Assert.Empty(await world.AsAsync(deployer, gate => gate.ListAsync(Ct)));
        await Assert.ThrowsAsync<AccessDeniedException>(() => world.AddAsync(admin, Draft(NotificationKind.Slack, "https://chat.test/3")));
        await Assert.ThrowsAsync<AccessDeniedException>(() => world.AddAsync(deployer, Draft(NotificationKind.Slack, "https://chat.test/3") with { Environment = "staging" }));
        Assert.Null(await world.AsAsync(admin, gate => gate.TryAsync(everything, Ct)));
        Assert.False(await world.AsAsync(admin, gate => gate.RemoveAsync(everything, Ct)));
        Assert.False(await world.AsAsync(deployer, gate => gate.RemoveAsync(staging, Ct)));
        Assert.True(await world.AsAsync(admin, gate => gate.RemoveAsync(staging, Ct)));
    }

    [Theory]
    [InlineData("http://169.254.169.254/latest/meta-data", false, "link-local")]
    [InlineData("http://[fe80::1]/", false, "link-local")]
    [InlineData("http://0.0.0.0/", false, "link-local")]
    [InlineData("http://[::ffff:169.254.169.254]/", false, "link-local")]
    [InlineData("http://127.0.0.1:1/", true, "not public")]
    [InlineData("http://10.1.2.3/", true, "not public")]
    public async Task Trial_ToAnAddressWhereNoneMayGo_IsRefused(string address, bool publicOnly, string told)
    {
        await using var world = await NotificationWorld.CreateAsync(new Dictionary<string, string?>(Settings, StringComparer.Ordinal)
        {
            ["Notifications:PublicAddressesOnly"] = $"{publicOnly}",
        });
        var (id, _) = await world.AddTargetAsync(Draft(NotificationKind.Webhook, address));

        var trial = await world.AsAsync(NotificationWorld.Owner, gate => gate.TryAsync(id, Ct));

        Assert.False(trial!.Delivered);
        Assert.Contains(told, trial.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ftp://chat.test/", "address")]
    [InlineData("https://user:pass@chat.test/", "address")]
    [InlineData("chat.test", "address")]
    [InlineData("https://chat.test/\r\nX: y", "address")]
    public async Task Draft_WithABadAddress_NamesTheField(string address, string field)
    {
        await using var world = await NotificationWorld.CreateAsync(Settings);
        var invalid = Assert.IsType<NotificationTargetChange.Invalid>(
            await world.AddAsync(NotificationWorld.Owner, Draft(NotificationKind.Webhook, address)));

        Assert.Equal([field], invalid.Errors.Keys);
    }

    private static Actor Somebody(AccessRole role, string? environment) =>
        new(ActorKind.Token, "token:2", "bob", "192.0.2.1", [new AccessGrant(role, environment, null)]);

    private static NotificationTargetDraft Draft(NotificationKind kind, string address) => new("chat", kind, address, null, null, All);
}
