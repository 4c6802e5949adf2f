namespace Deployer.Core.Diagnostics;

/// <summary>How well something is.</summary>
public enum FindingState
{
    /// <summary>Well.</summary>
    Ok = 0,

    /// <summary>It works, but something wants looking after.</summary>
    Warning = 1,

    /// <summary>It does not work.</summary>
    Failed = 2,
}

/// <summary>What a look at one part of the installation showed.</summary>
/// <param name="Part">The part: <c>engine</c>, <c>registry registry.example.com</c>, <c>disk</c> …</param>
/// <param name="State">How well it is.</param>
/// <param name="Found">What was found, in a sentence without secrets.</param>
/// <param name="Remedy">What to do; <see langword="null"/> when there is nothing to do.</param>
public sealed record Finding(string Part, FindingState State, string Found, string? Remedy);
