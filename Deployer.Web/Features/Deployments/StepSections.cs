using Deployer.Core.Deployments;
using Deployer.Web.Features.Console;

namespace Deployer.Web.Features.Deployments;

/// <summary>The steps of a deployment as sections of its log.</summary>
internal static class StepSections
{
    /// <summary>The steps that have begun. Those that ended well before the page opened are closed.</summary>
    /// <param name="steps">The steps, in order.</param>
    /// <param name="expected">What each usually takes, in seconds.</param>
    public static IReadOnlyList<LogSection> Of(IReadOnlyList<StepView> steps, IReadOnlyDictionary<StepKind, double> expected) =>
    [
        .. steps.Where(step => step.StartedAt is not null).Select(step => new LogSection(
            LineFilter.NameOf(step.Kind), StatusWords.Of(step.Kind), LineFilter.NameOf(step.State), StatusWords.Of(step.State),
            IsOpen: step.State != StepState.Succeeded, step.StartedAt!.Value, step.EndedAt,
            expected.TryGetValue(step.Kind, out var seconds) ? seconds : null)),
    ];
}
