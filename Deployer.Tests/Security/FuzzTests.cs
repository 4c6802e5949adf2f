using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Deployer.Tests.Fakes;

namespace Deployer.Tests.Security;

/// <summary>
/// Ten thousand requests that nobody sends on purpose, made from the API's own description: whatever comes, the answer
/// is prompt, a refusal says what is wrong, and the server neither fails nor grows. The same seed gives the same
/// requests; <c>DEPLOYER_FUZZ_SEED</c> and <c>DEPLOYER_FUZZ_REQUESTS</c> set others.
/// </summary>
public sealed class FuzzTests(GuardedServer server) : IClassFixture<GuardedServer>
{
    private const int AtOnce = 8;

    // Far beyond any answer: what takes this long hangs.
    private static readonly TimeSpan Hang = TimeSpan.FromSeconds(60);

    private static readonly int Seed = Number("DEPLOYER_FUZZ_SEED", 20260101);
    private static readonly int Requests = Number("DEPLOYER_FUZZ_REQUESTS", 10_000);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Requests_OfEveryKind_AreAnsweredWithoutFault()
    {
        var target = await server.AddTargetAsync("staging", Cancellation);
        var fuzz = new RequestFuzz(await DescriptionAsync(), target);
        var faults = new SortedDictionary<int, string>();
        var statuses = new Dictionary<HttpStatusCode, int>();
        var warm = Requests / 4;
        await SendAsync(fuzz, 0, warm, faults, statuses);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        await SendAsync(fuzz, warm, Requests, faults, statuses);
        var grown = (GC.GetTotalMemory(forceFullCollection: true) - before) / (1024 * 1024);

        var told = string.Join(", ", statuses.OrderBy(pair => pair.Key).Select(pair => $"{(int)pair.Key}: {pair.Value}"));
        Assert.True(faults.Count == 0, $"{faults.Count} of {Requests} requests (seed {Seed}; {told}):\n{string.Join('\n', faults.Take(40).Select(fault => $"#{fault.Key} {fault.Value}"))}");
        Assert.True(grown < 64, $"The server grew by {grown} MiB over {Requests - warm} requests.");

        // The requests have to reach what they are to try, and not fail at the first check.
        Assert.True(statuses.GetValueOrDefault(HttpStatusCode.OK) > Requests / 50, told);
        Assert.True(statuses.GetValueOrDefault(HttpStatusCode.BadRequest) > Requests / 20, told);
        TestContext.Current.SendDiagnosticMessage("seed {0}: {1}; grown by {2} MiB", Seed, told, grown);
    }

    [Theory]
    [InlineData("application/json; charset=klingon", HttpStatusCode.UnsupportedMediaType)]
    [InlineData("application/json; charset=\"\"", HttpStatusCode.UnsupportedMediaType)]
    [InlineData("application/json; charset=utf-16", HttpStatusCode.BadRequest)]
    [InlineData("application/json; charset=UTF-8", HttpStatusCode.Created)]
    [InlineData("text/plain", HttpStatusCode.UnsupportedMediaType)]
    public async Task Body_OfAnotherCharsetOrKind_IsRefusedWithTheRemedy(string contentType, HttpStatusCode status)
    {
        using var request = GuardedServer.ByOwner(HttpMethod.Post, "/api/apps");
        request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes($$"""{"name":"{{ServerFixture.NewName()}}","image":"web:v1"}"""));
        request.Content.Headers.TryAddWithoutValidation("Content-Type", contentType);
        using var response = await server.Client.SendAsync(request, Cancellation);

        if (status == HttpStatusCode.Created)
        {
            await response.ReadAsync(status, Cancellation);
        }
        else
        {
            await response.ReadProblemAsync(status, Cancellation);
        }
    }

    // Found by other seeds: instants that can be written and not be stored.
    [Theory]
    [InlineData("/api/audit?action=token&from=0001-01-01T00:00:00Z&until=9999-12-31T23:59:59Z")]
    [InlineData("/api/audit/export?format=csv&until=9999-12-31T23:59:59Z")]
    public async Task Instants_BeyondWhatCanBeStored_AreAsGoodAsTheEndOfTime(string address)
    {
        using var response = await server.Client.SendAsync(GuardedServer.ByOwner(HttpMethod.Get, address), Cancellation);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Contains("token.created", await response.Content.ReadAsStringAsync(Cancellation), StringComparison.Ordinal);
    }

    private async Task SendAsync(
        RequestFuzz fuzz, int from, int until, SortedDictionary<int, string> faults, Dictionary<HttpStatusCode, int> statuses) =>
        await Parallel.ForEachAsync(
            Enumerable.Range(from, until - from),
            new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = Cancellation },
            async (number, cancellation) =>
            {
                var (fault, status) = await TryAsync(fuzz.Make(new Random(HashCode(number))), cancellation);
                lock (faults)
                {
                    statuses[status] = statuses.GetValueOrDefault(status) + 1;
                    if (fault is not null)
                    {
                        faults[number] = fault;
                    }
                }
            });

    /// <summary>Each request has a random source of its own, so that one can be sent again by itself.</summary>
    private static int HashCode(int number) => unchecked((Seed * 397) ^ (number * 7919));

    private async Task<(string? Fault, HttpStatusCode Status)> TryAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        using (request)
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            var told = $"{request.Method} {request.RequestUri} ({request.Content?.Headers.NonValidated.Select(header => $"{header.Key}: {header.Value}").FirstOrDefault()})";
            try
            {
                var sending = server.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, limit.Token);
                using var response = await sending.WaitAsync(Hang, cancellationToken);
                return (await FindFaultAsync(response, told, limit.Token).WaitAsync(Hang, cancellationToken), response.StatusCode);
            }
            catch (TimeoutException)
            {
                await limit.CancelAsync();
                return ($"{told}: no answer within {Hang}", HttpStatusCode.RequestTimeout);
            }
            catch (HttpRequestException exception) when (request.Content is not null)
            {
                // The server may close a connection on whose body it gave up.
                return exception.HttpRequestError is HttpRequestError.ResponseEnded or HttpRequestError.Unknown && !cancellationToken.IsCancellationRequested
                    ? (null, HttpStatusCode.RequestEntityTooLarge)
                    : ($"{told}: {exception.Message}", HttpStatusCode.RequestTimeout);
            }
        }
    }

    private static async Task<string?> FindFaultAsync(HttpResponseMessage response, string told, CancellationToken cancellationToken)
    {
        var status = (int)response.StatusCode;
        if (status >= 500)
        {
            return $"{told}: {status} {await response.Content.ReadAsStringAsync(cancellationToken)}";
        }

        if (status < 400)
        {
            return null;
        }

        var text = await response.Content.ReadAsStringAsync(cancellationToken);
        if (status == 400 && text.Length == 0 && told.Contains("%00", StringComparison.Ordinal))
        {
            // The server itself breaks off, before anybody of us is asked.
            return null;
        }

        if (response.Content.Headers.ContentType?.MediaType != "application/problem+json")
        {
            return $"{told}: {status} without problem details: {text}";
        }

        var problem = JsonSerializer.Deserialize<JsonElement>(text);
        var isTold = problem.GetProperty("detail").GetString()!.Length > 10 && problem.GetProperty("code").GetString()!.Length > 0;
        var namesField = problem.TryGetProperty("errors", out var errors) && errors.EnumerateObject().Any();
        return isTold && (status != 400 || namesField) ? null : $"{told}: {text}";
    }

    private async Task<JsonObject> DescriptionAsync() =>
        JsonNode.Parse(await server.Client.GetStringAsync("/openapi/v1.json", Cancellation))!.AsObject();

    private static int Number(string variable, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), NumberStyles.Integer, CultureInfo.InvariantCulture, out var set) ? set : otherwise;
}
