using System.Text.Json;
using System.Text.Json.Serialization;
using Deployer.Core.Data;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;

namespace Deployer.Web.Features.Problems;

/// <summary>Makes every error of the API a problem details document, and every wrong request a refusal.</summary>
public static class ProblemsRegistration
{
    private static readonly string[] ApiPaths = ["/api", "/health", "/hooks", "/openapi"];

    /// <summary>Sets the JSON conventions of the wire: Deployer's own, and nothing unknown or doubled is let through.</summary>
    public static void AddProblems(this WebApplicationBuilder builder)
    {
        builder.Services.ConfigureHttpJsonOptions(json =>
        {
            DeployerJson.Apply(json.SerializerOptions);
            json.SerializerOptions.UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow;
            json.SerializerOptions.AllowDuplicateProperties = false;
            json.SerializerOptions.NumberHandling = JsonNumberHandling.Strict;
            json.SerializerOptions.ReadCommentHandling = JsonCommentHandling.Disallow;
        });
        builder.Services.Configure<RouteHandlerOptions>(options => options.ThrowOnBadRequest = true);
    }

    /// <summary>Answers errors below the API's paths; pages have an error page of their own.</summary>
    public static void UseProblems(this WebApplication app) =>
        app.UseWhen(
            context => ApiPaths.Any(path => context.Request.Path.StartsWithSegments(path, StringComparison.OrdinalIgnoreCase)),
            api =>
            {
                api.UseExceptionHandler(new ExceptionHandlerOptions
                {
                    ExceptionHandler = context =>
                        FailedRequest.Explain(context, context.Features.GetRequiredFeature<IExceptionHandlerFeature>()).ExecuteAsync(context),
                    SuppressDiagnosticsCallback = failure => FailedRequest.IsExpected(failure.Exception),
                    AllowStatusCode404Response = true,
                });
                api.UseStatusCodePages(pages => FailedRequest.Explain(pages.HttpContext).ExecuteAsync(pages.HttpContext));
                api.Use(RefuseUnknownCharsetAsync);
            });

    /// <summary>The framework raises a fault of its own for a charset that it does not know; it is the caller's.</summary>
    private static Task RefuseUnknownCharsetAsync(HttpContext context, RequestDelegate next) =>
        MediaTypeHeaderValue.TryParse(context.Request.ContentType, out var type) && type.Charset.HasValue && !IsKnown(type)
            ? Problem.Of(
                StatusCodes.Status415UnsupportedMediaType, "unsupported_media_type",
                "The charset of Content-Type is unknown; send JSON as UTF-8 with Content-Type: application/json.").ExecuteAsync(context)
            : next(context);

    private static bool IsKnown(MediaTypeHeaderValue type)
    {
        try
        {
            return type.Encoding is not null;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }
}
