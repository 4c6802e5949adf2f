namespace Deployer.Web.Components.Layout;

/// <summary>The reader's choice of theme, kept in a cookie of the browser.</summary>
internal static class ThemeChoice
{
    /// <summary>Name of the cookie. Absent: go with the system.</summary>
    public const string Cookie = "deployer-theme";

    /// <summary>Light, whatever the system says.</summary>
    public const string Light = "light";

    /// <summary>Dark, whatever the system says.</summary>
    public const string Dark = "dark";

    /// <summary>A known choice, or <see langword="null"/> for the system's: a cookie can hold anything.</summary>
    public static string? Normalize(string? choice) => choice is Light or Dark ? choice : null;
}
