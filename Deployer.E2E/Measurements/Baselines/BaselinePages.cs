using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Deployer.E2E.Measurements.Baselines;

/// <summary>
/// Puts the pages of the baselines in front of the dashboard, on the same server and over the same log:
/// <c>/baseline/each/ID</c> and <c>/baseline/virtual/ID</c>.
/// </summary>
internal sealed class BaselinePages : IStartupFilter
{
    /// <inheritdoc/>
    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        app.Use(AnswerAsync);
        next(app);
    };

    private static Task AnswerAsync(HttpContext context, RequestDelegate next)
    {
        var pane = context.Request.Path.Value?.Split('/') is ["", "baseline", var name, var id] ? (Name: name, Id: id) : default;
        return pane.Name switch
        {
            "each" => ShowAsync(context, typeof(EachLinePane), pane.Id),
            "virtual" => ShowAsync(context, typeof(VirtualPane), pane.Id),
            _ => next(context),
        };
    }

    private static Task ShowAsync(HttpContext context, Type pane, string id)
    {
        var parameters = new Dictionary<string, object?>(StringComparer.Ordinal)
        {
            [nameof(BaselineDocument.Pane)] = pane,
            [nameof(BaselineDocument.DeploymentId)] = long.Parse(id, CultureInfo.InvariantCulture),
        };
        return new RazorComponentResult<BaselineDocument>(parameters).ExecuteAsync(context);
    }
}
