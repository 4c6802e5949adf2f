using System.Text.Json.Nodes;
using Deployer.Core.Apps;
using Deployer.Core.Data;
using Deployer.Web.Features.Deployments;
using Microsoft.OpenApi;
using NodaTime;

namespace Deployer.Web.Features.Problems;

/// <summary>The OpenAPI document at <c>/openapi/v1.json</c>.</summary>
public static class ApiDocument
{
    /// <summary>What requests look like, and which of their fields cannot be left out.</summary>
    private static readonly Dictionary<Type, (string Json, string[] Required)> Samples = new()
    {
        [typeof(AppDraft)] = (
            """
            {"name":"web","image":"registry.example.com/team/web:v1","environment":"production","env":{"MODE":"fast"},
             "ports":[{"container":8080,"host":0}],"health":{"path":"/healthz","port":8080},"hosts":["web.example.com"]}
            """,
            ["image"]),
        [typeof(DeployJson)] = ("""{"image":"registry.example.com/team/web:v2","reason":"Fix the basket"}""", []),
    };

    /// <summary>Registers the document.</summary>
    public static void AddApiDocument(this WebApplicationBuilder builder) =>
        builder.Services.AddOpenApi(options =>
        {
            options.AddDocumentTransformer((document, _, _) =>
            {
                document.Info = new OpenApiInfo
                {
                    Title = "Deployer",
                    Version = "v1",
                    Description =
                        "Deploy apps and follow what happens. Names are snake_case, instants RFC 3339 in UTC with nine fractional digits, "
                        + "errors problem details (RFC 9457) whose detail says the remedy.",
                };
                return Task.CompletedTask;
            });
            options.AddSchemaTransformer((schema, context, _) =>
            {
                if (Samples.TryGetValue(context.JsonTypeInfo.Type, out var sample))
                {
                    schema.Examples = [JsonNode.Parse(sample.Json)!];
                    schema.Required = sample.Required.ToHashSet(StringComparer.Ordinal);
                }

                if (context.JsonTypeInfo.Type == typeof(Instant) || context.JsonTypeInfo.Type == typeof(Instant?))
                {
                    schema.Type = context.JsonTypeInfo.Type == typeof(Instant?) ? JsonSchemaType.String | JsonSchemaType.Null : JsonSchemaType.String;
                    schema.Format = "date-time";
                    schema.Examples = [JsonValue.Create(Rfc3339.Example)];
                }

                return Task.CompletedTask;
            });
        });

    /// <summary>Maps the document.</summary>
    public static void MapApiDocument(this IEndpointRouteBuilder routes) => routes.MapOpenApi().AllowAnonymous();

    /// <summary>Describes a query parameter which the endpoint reads itself.</summary>
    internal static RouteHandlerBuilder WithQuery(this RouteHandlerBuilder endpoint, string name, string description, string example) =>
        endpoint.AddOpenApiOperationTransformer((operation, _, _) =>
        {
            operation.Parameters ??= [];
            operation.Parameters.Add(new OpenApiParameter
            {
                Name = name,
                In = ParameterLocation.Query,
                Description = description,
                Example = JsonValue.Create(example),
                Schema = new OpenApiSchema { Type = JsonSchemaType.String },
            });
            return Task.CompletedTask;
        });
}
