using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Rendering;
using Microsoft.AspNetCore.Components.Web;

namespace Deployer.E2E.Measurements.Baselines;

/// <summary>A page with nothing but a pane, in the look of a console, which stays at its end while it is followed.</summary>
internal sealed class BaselineDocument : ComponentBase
{
    private const string Start = """
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8" />
        <title>Baseline</title>
        <base href="/" />
        <style>
        html, body { height: 100%; margin: 0; background: #0f1115; color: #d7dae0; }
        body { display: flex; }
        .viewport { flex: 1; overflow: auto; overflow-anchor: none; font: 12.5px/20px monospace; white-space: pre; }
        .row { display: block; height: 20px; }
        .n { display: inline-block; width: 8ch; color: #7c8494; }
        </style>
        </head>
        <body>
        """;

    private const string End = """
        <script>
        window.following = false;
        new MutationObserver(() => {
          const viewport = document.querySelector('.viewport');
          if (window.following && viewport) {
            viewport.scrollTop = viewport.scrollHeight;
          }
        }).observe(document.body, { childList: true, subtree: true, attributes: true, attributeFilter: ['style'] });
        </script>
        <script src="_framework/blazor.web.js"></script>
        </body>
        </html>
        """;

    /// <summary>Which pane.</summary>
    [Parameter, EditorRequired]
    public Type Pane { get; set; } = default!;

    /// <summary>Whose log.</summary>
    [Parameter, EditorRequired]
    public long DeploymentId { get; set; }

    /// <inheritdoc/>
    protected override void BuildRenderTree(RenderTreeBuilder builder)
    {
        builder.AddMarkupContent(0, Start);
        builder.OpenComponent(1, Pane);
        builder.AddComponentParameter(2, nameof(DeploymentId), DeploymentId);
        builder.AddComponentRenderMode(new InteractiveServerRenderMode(prerender: false));
        builder.CloseComponent();
        builder.AddMarkupContent(3, End);
    }
}
