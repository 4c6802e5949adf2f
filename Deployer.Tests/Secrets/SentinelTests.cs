using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using Deployer.Tests.Deployments.OnEngine;
using Deployer.Tests.Engine.Docker;

namespace Deployer.Tests.Secrets;

/// <summary>The program, with everything that it could ever say switched on, and a token to look for.</summary>
public sealed class TalkativeProgram : DeployerProgram
{
    public override string Token => "s3ntinel-t0ken+of/the=owner&0123456789";

    protected override IReadOnlyDictionary<string, string> Settings => new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["Logging:LogLevel:Default"] = "Trace",
        ["Logging:LogLevel:Microsoft.AspNetCore"] = "Trace",
        ["Logging:LogLevel:Microsoft.EntityFrameworkCore"] = "Trace",
        ["Logging:LogLevel:System.Net.Http.HttpClient"] = "Trace",
    };
}

/// <summary>
/// Secret values that can be told from anything else are given to everything that takes one, used in every way, and then
/// looked for wherever something could have been kept or shown.
/// </summary>
[Collection(DockerTests.Name)]
public sealed class SentinelTests(TalkativeProgram program) : IClassFixture<TalkativeProgram>
{
    private const string Value = "s3ntinel v4lue/of+an=app&\"quoted\"";
    private const string FirstLine = "s3ntinel-first-line-of-a-key";
    private const string SecondLine = "s3ntinel-second-line-of-a-key";
    private const string WrongPassword = "s3ntinel-wr0ng/passw0rd+of=a&registry";

    private readonly string _app = DeployerProgram.NewName();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact(Timeout = 180_000)]
    public async Task Deploy_WithSecretsEverywhere_ShowsThemNowhere()
    {
        await program.AddAppAsync(_app, DeployerProgram.Image("nohealth:v1"), new
        {
            command = new[] { "/bin/sh", "-c", Telling(thenServe: true) },
            health = new { path = "/cgi-bin/env", port = 8080, interval_seconds = 1 },
            hosts = new[] { $"{_app}.example.com" },
            stop_grace_seconds = 1,
        });
        await SecretAsync("TOKEN", Value);
        await SecretAsync("KEY", $"{FirstLine}\n{SecondLine}\n");
        await StoreAsync(TestEngine.RegistryWithPassword, TestEngine.Credentials.Password);
        await StoreAsync($"localhost:{TestEngine.RegistryWithPassword.Split(':')[1]}", WrongPassword);

        var served = await program.SucceedAsync(_app, null);
        var container = await program.Engine.InspectAsync(served.GetProperty("container_id").GetString()!);
        Assert.Contains($"TOKEN={Value}", container.GetProperty("Config").GetProperty("Env").EnumerateArray().Select(variable => variable.GetString()));
        await FailInEveryWayAsync(served.GetProperty("id").GetInt64());

        // It must have been there to be masked.
        var lines = await program.LinesAsync(served.GetProperty("id").GetInt64());
        Assert.Contains("stdout|plain ***", lines);
        Assert.Contains("stderr|pieces ***", lines);
        var places = new List<(string Place, string Text)>
        {
            ("the container but for its environment", WithoutEnvironment(container)),
            ("standard output and error", program.Output),
            ("the process list", await ReadProcessListAsync()),
        };
        places.AddRange(await ReadAnswersAsync());
        places.AddRange(await ReadFilesAsync());
        Assert.All(places, place => Assert.True(
            Forms().FirstOrDefault(form => place.Text.Contains(form, StringComparison.Ordinal)) is null,
            $"{place.Place} shows {Forms().FirstOrDefault(form => place.Text.Contains(form, StringComparison.Ordinal))}"));
        Assert.True(program.Output.Length > 100_000, "The program was meant to say all it can.");
        await program.SendAsync(HttpMethod.Delete, $"/api/apps/{_app}", null, HttpStatusCode.NoContent);
    }

    /// <summary>A script that says the secrets plainly, encoded, in pieces over time, and over both streams.</summary>
    private static string Telling(bool thenServe) =>
        "echo \"plain $TOKEN\"; echo \"key $KEY\"; printf '%s' \"$TOKEN\" | base64 -w 0; echo; printf '%s' \"x$TOKEN\" | base64 -w 20; "
        + "echo \"$TOKEN\" | sed 's/ /%20/g; s#/#%2F#g; s/+/%2B/g; s/=/%3D/g; s/&/%26/g; s/\"/%22/g'; echo \"$TOKEN\" | sed 's/\"/\\\\\"/g'; "
        + "printf 'pieces ' >&2; printf '%s' \"$TOKEN\" | cut -c 1-9 | tr -d '\\n' >&2; sleep 0.3; printf '%s' \"$TOKEN\" | cut -c 10-20 | tr -d '\\n' >&2; "
        + "echo between; sleep 0.3; printf '%s' \"$TOKEN\" | cut -c 21- >&2; "
        + (thenServe ? "exec httpd -f -p 8080 -h /www" : "exit 1");

    private async Task FailInEveryWayAsync(long served)
    {
        await program.DeployAsync(_app, $"localhost:{TestEngine.RegistryWithPassword.Split(':')[1]}/web:v1");
        await program.SendAsync(HttpMethod.Post, $"/api/registries/localhost:{TestEngine.RegistryWithPassword.Split(':')[1]}/test", null, HttpStatusCode.OK);
        await program.SucceedAsync(_app, $"{TestEngine.RegistryWithPassword}/nohealth:v1");
        await program.SendAsync(HttpMethod.Put, $"/api/apps/{_app}", new
        {
            image = DeployerProgram.Image("nohealth:v1"),
            command = new[] { "/bin/sh", "-c", Telling(thenServe: false) },
            secrets = new[] { "TOKEN", "KEY" },
            hosts = new[] { $"{_app}.example.com" },
            stop_grace_seconds = 1,
        }, HttpStatusCode.OK);
        var failed = await program.DeployAsync(_app, null);
        Assert.Contains("plain ***", failed.GetProperty("failure").GetProperty("evidence").GetProperty("last_lines").ToString(), StringComparison.Ordinal);
        await program.SendAsync(HttpMethod.Post, $"/api/deployments/{served}/restore", new { secrets = "old" }, HttpStatusCode.Accepted);
        await program.EndAsync(failed.GetProperty("id").GetInt64() + 1);
        await SecretAsync("TOKEN", Value + "-2");
        await program.GetAsync($"/api/deployments/{served}/restore");
    }

    /// <summary>Every answer of the API, pages, and what is said to requests that cannot be.</summary>
    private async Task<IReadOnlyList<(string, string)>> ReadAnswersAsync()
    {
        var answers = new List<(string, string)>();
        var deployments = (await program.GetAsync($"/api/deployments?app={_app}")).GetProperty("deployments").EnumerateArray()
            .Select(deployment => deployment.GetProperty("id").ToString()).ToList();
        var document = await program.GetAsync("/openapi/v1.json");
        foreach (var path in document.GetProperty("paths").EnumerateObject().Where(path => path.Value.TryGetProperty("get", out _)).Select(path => path.Name))
        {
            foreach (var id in path.Contains("{id}", StringComparison.Ordinal) ? deployments : [""])
            {
                await AskAsync(path.Replace("{id}", id, StringComparison.Ordinal).Replace("{app}", _app, StringComparison.Ordinal));
            }
        }

        foreach (var path in new[] { "/", "/nope", $"/api/apps/{_app}/secrets/TOKEN", "/api/deployments?limit=nope", $"/api/logs/search?q=s3ntinel" })
        {
            await AskAsync(path);
        }

        using (var bad = await program.Client.PutAsync($"/api/apps/{_app}/secrets/TOKEN", new StringContent("{\"value\": " + Value, Encoding.UTF8, "application/json"), Cancel))
        {
            answers.Add(("the answer to broken JSON", await bad.Content.ReadAsStringAsync(Cancel)));
        }

        using (var bad = await program.Client.PutAsync($"/api/apps/{_app}/secrets/1BAD", new StringContent(JsonSerializer.Serialize(new { value = Value }), Encoding.UTF8, "application/json"), Cancel))
        {
            answers.Add(("the answer to a bad name", await bad.Content.ReadAsStringAsync(Cancel)));
        }

        Assert.True(answers.Count > 20, "Too few answers to judge by.");
        return answers;

        async Task AskAsync(string path)
        {
            // A stream has no end of its own: what has come until it pauses is enough, since all deployments have ended.
            using var response = await program.Client.GetAsync(new Uri(path, UriKind.Relative), HttpCompletionOption.ResponseHeadersRead, Cancel);
            answers.Add((path, $"{response.Headers}{await response.Content.ReadAsStringAsync(Cancel)}"));
        }
    }

    /// <summary>Every file of the data directory: database, write-ahead log, keys and what else there is.</summary>
    private async Task<IReadOnlyList<(string, string)>> ReadFilesAsync()
    {
        var files = new List<(string, string)>();
        foreach (var path in Directory.GetFiles(program.DataDirectory, "*", SearchOption.AllDirectories))
        {
            if (new FileInfo(path).Length == 0)
            {
                continue; // a lock, which cannot be opened beside its holder
            }

            await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            using var reader = new StreamReader(file, Encoding.Latin1);
            files.Add((Path.GetFileName(path), await reader.ReadToEndAsync(Cancel)));
        }

        Assert.Contains(files, file => file.Item1.EndsWith("-wal", StringComparison.Ordinal));
        return files;
    }

    private static async Task<string> ReadProcessListAsync()
    {
        var all = new StringBuilder();
        foreach (var process in Directory.GetDirectories("/proc").Where(path => Path.GetFileName(path).All(char.IsAsciiDigit)))
        {
            try
            {
                all.AppendLine((await File.ReadAllTextAsync(Path.Combine(process, "cmdline"), Cancel)).Replace('\0', ' '));
            }
            catch (IOException)
            {
                // It has ended meanwhile.
            }
        }

        Assert.Contains("Deployer.Web.dll", all.ToString(), StringComparison.Ordinal);
        return all.ToString();
    }

    private static string WithoutEnvironment(JsonElement container)
    {
        var node = JsonSerializer.Deserialize<System.Text.Json.Nodes.JsonObject>(container)!;
        node["Config"]!.AsObject().Remove("Env");
        return node.ToJsonString();
    }

    /// <summary>The secrets, and what they look like encoded.</summary>
    private IEnumerable<string> Forms()
    {
        foreach (var secret in new[] { Value, FirstLine, SecondLine, WrongPassword, program.Token })
        {
            yield return secret;
            yield return Convert.ToBase64String(Encoding.UTF8.GetBytes(secret)).TrimEnd('=')[..^2];
            yield return Convert.ToBase64String(Encoding.UTF8.GetBytes("x" + secret)).TrimEnd('=')[4..^2];
            yield return WebUtility.UrlEncode(secret);
            yield return Uri.EscapeDataString(secret);
            yield return JsonEncodedText.Encode(secret).ToString();
        }

        // As the engine and the registry are told it.
        foreach (var password in new[] { WrongPassword, TestEngine.Credentials.Password })
        {
            yield return Convert.ToBase64String(Encoding.UTF8.GetBytes($"{TestEngine.Credentials.UserName}:{password}"));
        }

        // Of the value that came in pieces, each piece.
        yield return Value[..9];
        yield return Value[9..20];
        yield return Value[20..];
    }

    private Task<JsonElement> SecretAsync(string name, string value) => program.SendAsync(
        HttpMethod.Put, string.Create(CultureInfo.InvariantCulture, $"/api/apps/{_app}/secrets/{name}"), new { value }, HttpStatusCode.NoContent);

    private Task<JsonElement> StoreAsync(string host, string password) => program.SendAsync(
        HttpMethod.Put, $"/api/registries/{host}", new { user_name = TestEngine.Credentials.UserName, password }, HttpStatusCode.NoContent);
}
