using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Deployer.Tests.Fakes;

namespace Deployer.Tests.Security;

/// <summary>Makes requests from the description of an API: some nearly right, most not.</summary>
internal sealed class RequestFuzz(JsonObject description, Target target)
{
    private static readonly string[] Texts =
    [
        "", " ", "web", "web:v1", "registry.example.com/team/web:v2", "Web", "a/../b", "..", "%00", "\0", "\r\nX-Injected: 1", "<script>alert(1)</script>",
        "=1+1", "' OR 1=1 --", "null", "true", "-1", "0", "1", "9223372036854775807", "9223372036854775808", "1e400", "NaN", "2026-01-31T08:15:30Z",
        "2026-01-31T08:15:30.123456789+02:00", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "running", "\u202Etxt.exe", "\uFEFF", "\uFFFF", "ß", "日本語", "🚀",
        "\u001b[31m", "{}", "[]", "\"", "\\", "*", "{0}", "%s", "${jndi:x}", "unix:///var/run/x", "http://169.254.169.254/", "a@b", "a=b&c=d",
    ];

    private static readonly string[] ContentTypes =
    [
        "application/json", "application/json; charset=utf-8", "application/json;charset=UTF-16", "application/json; charset=nothing", "text/plain",
        "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/xml", "application/problem+json", "application/json; charset=\"",
    ];

    private readonly (string Path, string Method, JsonObject Operation)[] _operations =
    [
        .. from path in description["paths"]!.AsObject()
           from operation in path.Value!.AsObject()
           select (path.Key, operation.Key, operation.Value!.AsObject()),
    ];

    /// <summary>A request; the same random source gives the same.</summary>
    public HttpRequestMessage Make(Random random)
    {
        var (path, method, operation) = _operations[random.Next(_operations.Length)];
        var query = new List<string>();

        // The app is needed to the end.
        var spares = method == "delete" && path == "/api/apps/{app}";
        foreach (var parameter in operation["parameters"]?.AsArray() ?? [])
        {
            var name = (string)parameter!["name"]!;
            switch ((string)parameter["in"]!)
            {
                case "path":
                    path = path.Replace($"{{{name}}}", Uri.EscapeDataString(spares ? "no-such-app" : PathValue(name, random)), StringComparison.Ordinal);
                    break;
                case "query" when random.Next(3) > 0:
                    query.Add($"{name}={Uri.EscapeDataString(QueryValue(name, (string?)parameter["example"], random))}");
                    break;
            }
        }

        if (random.Next(12) == 0)
        {
            query.Add($"{Uri.EscapeDataString(Text(random))}={Uri.EscapeDataString(Text(random))}");
        }

        // Dots would be taken out of the address before it is sent.
        var address = path.Replace("/../", "/%2E%2E/", StringComparison.Ordinal) + (query.Count > 0 ? "?" + string.Join('&', query) : "");
        var request = GuardedServer.ByOwner(new HttpMethod(method.ToUpperInvariant()), address);
        if (random.Next(10) == 0)
        {
            request.Headers.TryAddWithoutValidation("Idempotency-Key", new string([.. Text(random).Where(c => c is >= '\t' and <= '~' and not ('\r' or '\n'))]));
        }

        if (method is not "get" && random.Next(12) > 0)
        {
            request.Content = Body(operation, random);
        }

        return request;
    }

    private string PathValue(string name, Random random) => random.Next(4) > 0
        ? name switch
        {
            "app" => target.App,
            "id" => target.Deployment.ToString(CultureInfo.InvariantCulture),
            "environment" => target.Environment,
            _ => "NAME",
        }
        : Text(random) is { Length: > 0 } text && text is not ("." or "..") ? text : "x";

    private static string QueryValue(string name, string? example, Random random) => random.Next(3) switch
    {
        // A long poll is meant to take long.
        0 when name != "wait" => example ?? "1",
        1 when name == "wait" => "0",
        _ when name == "wait" => "x" + Text(random),
        _ => Text(random),
    };

    private ByteArrayContent Body(JsonObject operation, Random random)
    {
        var text = random.Next(8) switch
        {
            0 => Broken(random),
            1 => Value(random, depth: 0)?.ToJsonString() ?? "null",
            _ => Fitting(operation, random)?.ToJsonString() ?? "null",
        };
        var bytes = random.Next(12) switch
        {
            0 => Encoding.Unicode.GetBytes(text),
            1 => Encoding.Latin1.GetBytes(text + "é\u00ff"),
            2 => [0xEF, 0xBB, 0xBF, .. Encoding.UTF8.GetBytes(text)],
            3 => Encoding.UTF8.GetBytes(text)[..^Math.Min(text.Length, random.Next(4))],
            _ => Encoding.UTF8.GetBytes(text),
        };
        var content = new ByteArrayContent(bytes);
        content.Headers.TryAddWithoutValidation("Content-Type", random.Next(5) > 0 ? ContentTypes[0] : ContentTypes[random.Next(ContentTypes.Length)]);
        if (random.Next(40) == 0)
        {
            content.Headers.ContentEncoding.Add(random.Next(2) == 0 ? "gzip" : "nothing");
        }

        if (random.Next(40) == 0)
        {
            content.Headers.ContentDisposition = new ContentDispositionHeaderValue("attachment");
        }

        return content;
    }

    /// <summary>An object of the fields that the operation takes, each with a value that may fit.</summary>
    private JsonNode? Fitting(JsonObject operation, Random random)
    {
        var schema = operation["requestBody"]?["content"]?.AsObject().FirstOrDefault().Value?["schema"];
        if (schema is null || Resolve(schema) is not { } known)
        {
            return Value(random, depth: 0);
        }

        // The sample with one field changed gets further than an object of chance.
        if (random.Next(3) == 0 && known["examples"]?.AsArray() is [JsonObject example, ..] && known["properties"]?.AsObject() is { } properties)
        {
            var made = example.DeepClone().AsObject();
            var (name, changed) = properties.ElementAt(random.Next(properties.Count));
            made[name] = OfSchema(Resolve(changed!), random, depth: 1);
            made["name"] = random.Next(4) > 0 && properties.ContainsKey("name") && name != "name" ? ServerFixture.NewName() : made["name"]?.DeepClone();
            return made;
        }

        return OfSchema(known, random, depth: 0);
    }

    private JsonNode? OfSchema(JsonNode? schema, Random random, int depth)
    {
        if (schema is null || depth > 6 || random.Next(10) == 0)
        {
            return Value(random, depth);
        }

        if ((schema["oneOf"] ?? schema["anyOf"])?.AsArray() is { Count: > 0 } choices)
        {
            return OfSchema(Resolve(choices[random.Next(choices.Count)]!), random, depth + 1);
        }

        if (schema["properties"]?.AsObject() is { } properties)
        {
            var made = new JsonObject();
            foreach (var property in properties.Where(_ => random.Next(3) > 0))
            {
                made[property.Key] = OfSchema(Resolve(property.Value!), random, depth + 1);
            }

            if (random.Next(15) == 0)
            {
                made[Text(random)] = Value(random, depth + 1);
            }

            return made;
        }

        if (schema["items"] is { } items)
        {
            return new JsonArray([.. Enumerable.Range(0, random.Next(4)).Select(_ => OfSchema(Resolve(items), random, depth + 1))]);
        }

        var kinds = schema["type"] switch { JsonArray several => several.Select(kind => (string)kind!).ToArray(), { } one => [(string)one!], _ => [] };
        return kinds.FirstOrDefault(kind => kind != "null") switch
        {
            "string" when schema["enum"]?.AsArray() is { Count: > 0 } words => (string?)words[random.Next(words.Count)],
            "string" => random.Next(4) == 0 ? ServerFixture.NewName() : Text(random),
            "integer" => random.Next(5) switch { 0 => -1, 1 => int.MaxValue, 2 => 0, _ => random.Next(1, 70_000) },
            "number" => random.NextDouble() * 10,
            "boolean" => random.Next(2) == 0,
            _ => Value(random, depth + 1),
        };
    }

    private JsonNode? Resolve(JsonNode schema) =>
        (string?)schema["$ref"] is { } reference ? description["components"]!["schemas"]![reference.Split('/')[^1]] : schema;

    private static JsonNode? Value(Random random, int depth) => random.Next(depth > 4 ? 5 : 8) switch
    {
        0 => null,
        1 => random.Next(2) == 0,
        2 => random.NextInt64(long.MinValue, long.MaxValue),
        3 => random.NextDouble() * 1e300,
        4 => Text(random),
        5 => new JsonArray([.. Enumerable.Range(0, random.Next(5)).Select(_ => Value(random, depth + 1))]),
        6 => Nested(random.Next(1, 60)),
        _ => Object(random, depth),
    };

    private static JsonObject Object(Random random, int depth)
    {
        var made = new JsonObject();
        for (var i = random.Next(5); i > 0; i--)
        {
            made[Text(random)] = Value(random, depth + 1);
        }

        return made;
    }

    private static JsonNode Nested(int depth)
    {
        JsonNode inner = 1;
        for (var i = 0; i < depth; i++)
        {
            inner = i % 2 == 0 ? new JsonArray(inner) : new JsonObject { ["a"] = inner };
        }

        return inner;
    }

    private static string Broken(Random random) => random.Next(8) switch
    {
        0 => "{",
        1 => "{\"name\":\"a\",\"name\":\"b\"}",
        2 => new string('[', 20_000),
        3 => "{\"image\":\"\\ud800\"}",
        4 => "{\"image\":1e99999}",
        5 => "// comment\n{}",
        6 => "{\"image\":'web'}",
        _ => "\u0000\u0001",
    };

    private static string Text(Random random) => random.Next(12) switch
    {
        0 => new string((char)random.Next('a', 'z'), random.Next(200, 2000)),
        1 => new string([.. Enumerable.Range(0, random.Next(1, 20)).Select(_ => (char)random.Next(1, 0xD7FF))]),
        _ => Texts[random.Next(Texts.Length)],
    };
}
