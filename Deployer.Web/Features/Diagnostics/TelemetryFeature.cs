using Deployer.Core;
using Deployer.Core.Diagnostics;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Deployer.Web.Features.Diagnostics;

/// <summary>
/// Sends traces and metrics by OTLP where an endpoint is set. Configuration keys <c>Telemetry:OtlpEndpoint</c> and
/// <c>Telemetry:Protocol</c>.
/// </summary>
internal static class TelemetryFeature
{
    private const string EndpointKey = "Telemetry:OtlpEndpoint";
    private const string ProtocolKey = "Telemetry:Protocol";

    /// <summary>Registers the exporters; nothing without an endpoint.</summary>
    /// <exception cref="SettingException">The endpoint or the protocol is none.</exception>
    public static void AddTelemetry(this WebApplicationBuilder builder)
    {
        if (builder.Configuration[EndpointKey] is not { } text || string.IsNullOrWhiteSpace(text))
        {
            return;
        }

        if (!Uri.TryCreate(text, UriKind.Absolute, out var endpoint) || endpoint.Scheme is not ("http" or "https"))
        {
            throw new SettingException($"{EndpointKey} is '{text}', which is no web address. Set it to the collector's, e.g. http://127.0.0.1:4317.", inner: null);
        }

        var isHttp = (builder.Configuration[ProtocolKey] ?? "grpc") switch
        {
            "grpc" => false,
            "http" => true,
            var other => throw new SettingException($"{ProtocolKey} is '{other}'. Set it to grpc or http.", inner: null),
        };
        builder.Services.AddOpenTelemetry()
            .ConfigureResource(resource => resource.AddService("deployer", serviceVersion: typeof(DeployerApp).Assembly.GetName().Version?.ToString(3)))
            .WithTracing(tracing => tracing
                .AddSource(DiagnosticsRegistration.TelemetryName)
                .AddAspNetCoreInstrumentation(web => web.Filter = context => !IsNoise(context.Request.Path))
                .AddOtlpExporter(otlp => Set(otlp, endpoint, isHttp, "v1/traces")))
            .WithMetrics(metrics => metrics
                .AddMeter(DiagnosticsRegistration.TelemetryName, "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel")
                .AddOtlpExporter((otlp, reader) =>
                {
                    Set(otlp, endpoint, isHttp, "v1/metrics");
                    reader.PeriodicExportingMetricReaderOptions.ExportIntervalMilliseconds = builder.Configuration.GetValue("Telemetry:IntervalSeconds", 15) * 1000;
                }));
    }

    private static void Set(OpenTelemetry.Exporter.OtlpExporterOptions otlp, Uri endpoint, bool isHttp, string path)
    {
        otlp.Protocol = isHttp ? OpenTelemetry.Exporter.OtlpExportProtocol.HttpProtobuf : OpenTelemetry.Exporter.OtlpExportProtocol.Grpc;
        otlp.Endpoint = isHttp ? new Uri(endpoint.AbsoluteUri.TrimEnd('/') + "/" + path) : endpoint;
    }

    // Health checks and circuits would drown the rest; hooks may carry a key in the query, which no span may hold.
    private static bool IsNoise(PathString path) =>
        path.StartsWithSegments("/health", StringComparison.OrdinalIgnoreCase)
        || path.StartsWithSegments("/_blazor", StringComparison.OrdinalIgnoreCase)
        || path.StartsWithSegments("/hooks", StringComparison.OrdinalIgnoreCase);
}
