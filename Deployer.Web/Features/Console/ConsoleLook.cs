namespace Deployer.Web.Features.Console;

/// <summary>How the rows of a console look.</summary>
/// <param name="Wrap">Whether long lines are wrapped.</param>
/// <param name="Times">Which times stand before the lines: one of the constants.</param>
internal sealed record ConsoleLook(bool Wrap, string Times)
{
    /// <summary>No times.</summary>
    public const string TimesOff = "off";

    /// <summary>Times in the reader's own zone.</summary>
    public const string TimesLocal = "local";

    /// <summary>Times in UTC.</summary>
    public const string TimesUtc = "utc";

    /// <summary>Seconds since the deployment began.</summary>
    public const string TimesSinceStart = "start";

    /// <summary>The look with the next kind of times.</summary>
    public ConsoleLook WithNextTimes() => this with
    {
        Times = Times switch
        {
            TimesOff => TimesLocal,
            TimesLocal => TimesUtc,
            TimesUtc => TimesSinceStart,
            _ => TimesOff,
        },
    };
}
