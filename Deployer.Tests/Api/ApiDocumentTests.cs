using System.Net;
using System.Text.Json;
using Deployer.Tests.Fakes;

namespace Deployer.Tests.Api;

public sealed class ApiDocumentTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Get_Document_DescribesEveryOperationItsParametersAndAnswers()
    {
        var document = await ReadAsync();
        foreach (var path in document.GetProperty("paths").EnumerateObject())
        {
            foreach (var operation in path.Value.EnumerateObject())
            {
                var name = $"{operation.Name} {path.Name}";
                Assert.True(operation.Value.TryGetProperty("summary", out var summary) && summary.GetString()!.Length > 0, $"{name} has no summary");
                Assert.True(operation.Value.TryGetProperty("operationId", out _), $"{name} has no operation id");
                Assert.True(
                    operation.Value.GetProperty("responses").EnumerateObject().Any(response => response.Name[0] == '2'), $"{name} has no answer for success");
            }
        }
    }

    [Fact]
    public async Task Get_Document_NamesTheParametersOfTheLog()
    {
        var parameters = (await ReadAsync()).GetProperty("paths").GetProperty("/api/deployments/{id}/logs").GetProperty("get").GetProperty("parameters")
            .EnumerateArray().ToDictionary(parameter => parameter.GetProperty("name").GetString()!, StringComparer.Ordinal);

        Assert.Superset(new HashSet<string>(["id", "after", "from_line", "tail", "limit"], StringComparer.Ordinal), parameters.Keys.ToHashSet(StringComparer.Ordinal));
        Assert.Equal("2026-01-31T08:15:30.123456789Z", parameters["after"].GetProperty("example").GetString());
    }

    [Fact]
    public async Task Get_Document_GivesFieldsInSnakeCaseAndInstantsAsTexts()
    {
        var schemas = (await ReadAsync()).GetProperty("components").GetProperty("schemas");
        var page = schemas.GetProperty("LogPageJson").GetProperty("properties");

        Assert.Equal(["deployment_id", "status", "logs", "next_after", "complete"], page.EnumerateObject().Select(property => property.Name));
        var createdAt = schemas.GetProperty("LogLineJson").GetProperty("properties").GetProperty("created_at").GetRawText();
        Assert.Contains("date-time", createdAt + schemas.GetRawText(), StringComparison.Ordinal);
        Assert.Equal("web", schemas.GetProperty("AppDraft").GetProperty("examples")[0].GetProperty("name").GetString());
        Assert.True(schemas.GetProperty("AppDraft").GetProperty("properties").TryGetProperty("memory_mb", out _));
    }

    private async Task<JsonElement> ReadAsync()
    {
        using var response = await server.Client.GetAsync("/openapi/v1.json", Cancellation);
        return await response.ReadAsync(HttpStatusCode.OK, Cancellation);
    }
}
