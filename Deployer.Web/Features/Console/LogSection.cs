using NodaTime;

namespace Deployer.Web.Features.Console;

/// <summary>A part of a log under a heading that opens and closes, e.g. a step of a deployment. It has begun.</summary>
/// <param name="Key">Names it, e.g. <c>health_check</c>.</param>
/// <param name="Name">Its name for people.</param>
/// <param name="State">Its state in one lower-case word, for the style sheet: running, succeeded, failed or canceled.</param>
/// <param name="Says">Its state in a word for people.</param>
/// <param name="IsOpen">Whether it is open when the page opens; later the reader decides, and what begins later is open.</param>
/// <param name="StartedAt">When it began: none of its lines is older.</param>
/// <param name="EndedAt">When it ended; <see langword="null"/> while it goes on.</param>
/// <param name="ExpectedSeconds">What it usually takes; <see langword="null"/> when that is not known.</param>
public sealed record LogSection(
    string Key, string Name, string State, string Says, bool IsOpen, Instant StartedAt, Instant? EndedAt, double? ExpectedSeconds);
