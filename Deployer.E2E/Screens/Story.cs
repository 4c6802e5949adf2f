using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Deployer.Core.Access;
using Deployer.Core.Apps;
using Deployer.Core.Data;
using Deployer.Core.Deployments;
using Deployer.E2E.Hosting;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using NodaTime;

namespace Deployer.E2E.Screens;

/// <summary>
/// A small team with its apps: made through the API over a real engine, so that every log line and every failure in the
/// pictures is one that happened. Only the month before is written straight into the database.
/// </summary>
internal sealed class Story(Dashboard dashboard)
{
    /// <summary>The owner's e-mail address.</summary>
    public const string Email = "ada@example.com";

    /// <summary>Everybody's password.</summary>
    public const string Password = "violet harbour kettle 47";

    private const int History = 17;

    private static readonly Actor Founder =
        new(ActorKind.Deployer, "founder", "Ada Lovelace", "192.0.2.17", [new AccessGrant(AccessRole.Owner, null, null)]);

    private readonly HttpClient _api = dashboard.Api;

    /// <summary>The deployment that failed.</summary>
    public long Failed { get; private set; }

    /// <summary>The deployment that runs until <see cref="FinishAsync"/>.</summary>
    public long Running { get; private set; }

    /// <summary>The shop's deployment that serves.</summary>
    public long Serving { get; private set; }

    /// <summary>Makes everything up to a deployment that runs.</summary>
    public async Task TellAsync()
    {
        await ShelveAsync();
        await JoinAsync();
        await AddAsync("shop", "2.4.0", "production", """
            echo "shop 2.4.0, commit 7f3c1e9"
            echo "Reading settings from the environment"
            printf '\033[2mCURRENCY=EUR LOG_LEVEL=info\033[0m\n'
            printf '\033[32mConnected\033[0m to postgres at db.example.com:5432\n'
            echo "Applying migration 0042_wishlists"
            echo "Warming the product cache: 48,112 products"
            exec /bin/web
            """, hosts: ["shop.example.com"]);
        await AddAsync("billing", "1.8.2", "production", "echo 'billing 1.8.2'; exec /bin/web", hosts: ["billing.example.com"]);
        await AddAsync("storefront-api", "5.0.1", "production", "echo 'storefront-api 5.0.1'; exec /bin/web", hosts: ["api.example.com"]);
        await AddAsync("mailer", "1.2.0", "staging", "echo 'mailer 1.2.0'; exec /bin/web", hosts: []);
        await AddAsync("search-indexer", "0.9.3", "staging", """
            echo "search-indexer 0.9.3"
            i=0
            while [ $i -lt 48000 ]; do
              i=$((i + 160))
              printf '\033[2m%s\033[0m indexed %d of 48000 products\n' "$(date -u +%H:%M:%S)" $i
              [ $((i % 1600)) = 0 ] && printf '\033[33mwarn\033[0m product %d has no description\n' $i >&2
              sleep 1
            done
            exec /bin/web
            """, hosts: [], probe: true);
        await AddAsync("docs", "2026.11", "staging", "exec /bin/web", hosts: ["docs.example.com"]);
        await RememberAsync();

        await PutAsync("/api/apps/shop/secrets/DATABASE_PASSWORD", new { value = "not-shown-anywhere-1" });
        await PutAsync("/api/apps/shop/secrets/PAYMENT_KEY", new { value = "not-shown-anywhere-2" });
        foreach (var app in new[] { "shop", "billing", "storefront-api", "mailer" })
        {
            await EndAsync(await DeployAsync(app, reason: null));
        }

        await ChangeAsync("shop", app => app["env"] = new Dictionary<string, string>(StringComparer.Ordinal) { ["CURRENCY"] = "EUR", ["LOG_LEVEL"] = "debug" });
        Serving = await DeployAsync("shop", "wishlists for everybody", "2.4.1");
        await EndAsync(Serving);

        await ChangeAsync("billing", app => app["command"] = new[] { "/bin/sh", "-c", """
            echo "billing 1.9.0, commit 02ab77d"
            printf '\033[32mConnected\033[0m to postgres at db.example.com:5432\n'
            echo "Applying migration 0107_invoice_lines"
            sleep 0.5
            printf '\033[31mERROR\033[0m column "net_amount" of relation "invoice" contains null values\n' >&2
            echo "  at Migrator.Apply (0107_invoice_lines.sql:14)" >&2
            echo "Rolled back. Set BILLING_DEFAULT_NET or fill the column first." >&2
            exit 3
            """ });
        Failed = await DeployAsync("billing", "invoice lines", "1.9.0");
        await EndAsync(Failed);
        await PostAsync("/api/apps/mailer/stop", new { });

        await PutAsync("/api/environments/production", new { @protected = true, max_concurrent = 2 });
        await PutAsync("/api/environments/staging", new { max_concurrent = 4 });
        var now = TimeProvider.System.Now();
        await PostAsync("/api/environments/production/freezes", new { starts_at = Text(now + Duration.FromDays(27)), ends_at = Text(now + Duration.FromDays(34)), reason = "Holidays" });
        var (host, user, password) = Settings.ClosedRegistry;
        await PutAsync($"/api/registries/{host}", new { user_name = user, password });
        await PostAsync("/api/notifications", new { name = "Team chat", kind = "slack", address = "https://chat.example.com/hooks/T1/B2", events = new[] { "failed", "approval_wanted" } });
        await PostAsync("/api/apps/shop/webhook", new { tags = "2.*", address_key = true });
        Running = await DeployAsync("search-indexer", "index the new catalogue", "0.9.3");
    }

    /// <summary>Ends the deployment that runs.</summary>
    public async Task FinishAsync()
    {
        await PostAsync($"/api/deployments/{Running}/cancel", new { });
        await EndAsync(Running);
    }

    private static string Text(Instant instant) => Rfc3339.Format(instant);

    private static async Task ShelveAsync()
    {
        using var shelf = new RegistryShelf();
        await shelf.PutAsync("web", "v1", "shop", "2.3.0", "2.3.1", "2.4.0");
        await shelf.PutAsync("web", "v2", "shop", "2.4.1");
        await shelf.PutAsync("web", "v1", "billing", "1.8.2", "1.9.0");
        await shelf.PutAsync("web", "v2", "storefront-api", "5.0.1");
        await shelf.PutAsync("web", "v3", "mailer", "1.2.0");
        await shelf.PutAsync("nohealth", "v1", "search-indexer", "0.9.3");
        await shelf.PutAsync("web", "v3", "docs", "2026.11");
    }

    private async Task JoinAsync()
    {
        var people = dashboard.Services.GetRequiredService<People>();
        Assert.Empty((await people.CreateOwnerAsync(new NewPerson(Email, "Ada Lovelace", Password), "192.0.2.17", CancellationToken.None)).Errors);
        var invitations = dashboard.Services.GetRequiredService<Invitations>();
        foreach (var (email, name, role, environment) in new (string, string, AccessRole, string?)[]
        {
            ("grace@example.com", "Grace Hopper", AccessRole.Deployer, "production"),
            ("alan@example.com", "Alan Turing", AccessRole.Admin, "staging"),
            ("mary@example.com", "Mary Shelley", AccessRole.Viewer, null),
        })
        {
            var invitation = await invitations.InviteAsync(Founder, email, role, environment, CancellationToken.None);
            Assert.Empty((await invitations.AcceptAsync(invitation!.Key, name, Password, "192.0.2.23", CancellationToken.None)).Errors);
        }

        await invitations.InviteAsync(Founder, "joan@example.com", AccessRole.Deployer, "staging", CancellationToken.None);
        var tokens = dashboard.Services.GetRequiredService<ApiTokens>();
        var made = await tokens.CreateAsync(Founder, new ApiTokenDraft("Release pipeline", AccessRole.Owner, null, null, Duration.FromDays(90)), CancellationToken.None);
        await tokens.CreateAsync(Founder, new ApiTokenDraft("Nightly backup of the logs", AccessRole.Viewer, null, null, null), CancellationToken.None);
        _api.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", made.Token);
    }

    private async Task AddAsync(string name, string tag, string environment, string script, string[] hosts, bool probe = false) => await PostAsync("/api/apps", new
    {
        name,
        image = Settings.Image($"{name}:{tag}"),
        environment,
        command = new[] { "/bin/sh", "-c", script.ReplaceLineEndings("\n") },
        env = new Dictionary<string, string>(StringComparer.Ordinal) { ["CURRENCY"] = "EUR", ["LOG_LEVEL"] = "info" },
        ports = new[] { new { container = 8080, host = 0 } },
        hosts,
        health = probe ? new { path = "/healthz", port = 8080, interval_seconds = 5, timeout_seconds = 2, retries = 100 } : null,
        memory_mb = 256,
    });

    // What the shop and the others did in the month before.
    private async Task RememberAsync()
    {
        await using var db = await dashboard.Services.GetRequiredService<IDbContextFactory<DeployerDb>>().CreateDbContextAsync();
        var now = TimeProvider.System.Now();
        foreach (var app in await db.Apps.Where(app => app.Name != "docs").ToListAsync())
        {
            for (var number = 1; number <= History; number++)
            {
                var started = now - Duration.FromHours(((History - number) * 41) + 9 + (7 * app.Id));
                var failed = (number + app.Id) % 7 == 0;
                db.Deployments.Add(new Deployment
                {
                    AppId = app.Id,
                    Number = number,
                    Status = failed ? DeploymentStatus.Failed : DeploymentStatus.Succeeded,
                    Spec = app.Spec,
                    RequestedBy = (number % 3) switch { 0 => "Grace Hopper", 1 => "Release pipeline", _ => "Ada Lovelace" },
                    CreatedAt = started,
                    StartedAt = started,
                    EndedAt = started + Duration.FromSeconds(6 + (app.Id * number * 5 % 37)),
                });
            }
        }

        await db.SaveChangesAsync();
    }

    private async Task ChangeAsync(string app, Action<Dictionary<string, object?>> change)
    {
        var now = await _api.GetFromJsonAsync<Dictionary<string, object?>>($"/api/apps/{app}");
        string[] kept = ["image", "environment", "command", "env", "secrets", "ports", "hosts", "health", "memory_mb"];
        var body = now!.Where(pair => kept.Contains(pair.Key, StringComparer.Ordinal)).ToDictionary(pair => pair.Key, pair => pair.Value, StringComparer.Ordinal);
        change(body);
        await PutAsync($"/api/apps/{app}", body);
    }

    private async Task<long> DeployAsync(string app, string? reason, string? tag = null)
    {
        var image = tag is null ? null : Settings.Image($"{app}:{tag}");
        return (await PostAsync($"/api/apps/{app}/deployments", new { reason, image })).GetProperty("id").GetInt64();
    }

    private async Task EndAsync(long deployment) => await dashboard.FollowAsync(deployment);

    private async Task<JsonElement> PostAsync(string address, object body)
    {
        using var response = await _api.PostAsJsonAsync(address, body);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, $"POST {address}: {text}");
        return text.Length == 0 ? default : JsonDocument.Parse(text).RootElement;
    }

    private async Task PutAsync(string address, object body)
    {
        using var response = await _api.PutAsJsonAsync(address, body);
        Assert.True(response.IsSuccessStatusCode, $"PUT {address}: {await response.Content.ReadAsStringAsync()}");
    }
}
