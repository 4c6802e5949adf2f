using MudBlazor;

namespace Deployer.Web.Components.Layout;

/// <summary>
/// The palette, light and dark. Every text colour reaches 4.5:1 on every surface it is put on, every control's outline
/// 3:1 (WCAG 2.2, 1.4.3 and 1.4.11); the browser tests hold it to that.
/// </summary>
internal static class DeployerTheme
{
    private static readonly string[] Sans = ["Inter Variable", "system-ui", "-apple-system", "Segoe UI", "sans-serif"];

    /// <summary>The one theme.</summary>
    public static MudTheme Theme { get; } = new()
    {
        PaletteLight = new PaletteLight
        {
            Black = "#14171f",
            Primary = "#4149c6",
            PrimaryContrastText = "#ffffff",
            PrimaryDarken = "#3239a8",
            PrimaryLighten = "#6a71d8",
            Secondary = "#4b5466",
            SecondaryContrastText = "#ffffff",
            Tertiary = "#0f6e6a",
            Info = "#1b5fa6",
            InfoContrastText = "#ffffff",
            Success = "#116b3c",
            SuccessContrastText = "#ffffff",
            Warning = "#8a5200",
            WarningContrastText = "#ffffff",
            Error = "#b3231b",
            ErrorContrastText = "#ffffff",
            TextPrimary = "#171a22",
            TextSecondary = "#535b6b",
            TextDisabled = "#6b7280",
            ActionDefault = "#4b5466",
            ActionDisabled = "#6b7280",
            ActionDisabledBackground = "#e8eaef",
            Background = "#f6f7f9",
            BackgroundGray = "#eef0f4",
            Surface = "#ffffff",
            AppbarBackground = "#ffffff",
            AppbarText = "#171a22",
            DrawerBackground = "#ffffff",
            DrawerText = "#171a22",
            LinesDefault = "#e2e5eb",
            LinesInputs = "#868e9d",
            TableLines = "#e9ebf0",
            TableHover = "#f3f4f8",
            Divider = "#e2e5eb",
            DividerLight = "#eceef2",
            OverlayDark = "rgba(15,18,25,0.45)",
            HoverOpacity = 0.06,
        },
        PaletteDark = new PaletteDark
        {
            Black = "#0b0d12",
            Primary = "#a5acff",
            PrimaryContrastText = "#12142b",
            PrimaryDarken = "#8c94f5",
            PrimaryLighten = "#c3c8ff",
            Secondary = "#b4bccb",
            SecondaryContrastText = "#12151c",
            Tertiary = "#6fd0c8",
            Info = "#8abdf7",
            InfoContrastText = "#0c1a2b",
            Success = "#67d391",
            SuccessContrastText = "#08200f",
            Warning = "#f2b85c",
            WarningContrastText = "#271a03",
            Error = "#ff938b",
            ErrorContrastText = "#2c0805",
            TextPrimary = "#e6e9f0",
            TextSecondary = "#a2abbb",
            TextDisabled = "#848d9d",
            ActionDefault = "#b4bccb",
            ActionDisabled = "#848d9d",
            ActionDisabledBackground = "#242a35",
            Background = "#0f1218",
            BackgroundGray = "#0b0d12",
            Surface = "#161a22",
            AppbarBackground = "#12161d",
            AppbarText = "#e6e9f0",
            DrawerBackground = "#161a22",
            DrawerText = "#e6e9f0",
            LinesDefault = "#272d39",
            LinesInputs = "#6e7788",
            TableLines = "#222833",
            TableHover = "#1b202a",
            Divider = "#272d39",
            DividerLight = "#1f2530",
            OverlayDark = "rgba(3,5,9,0.65)",
            HoverOpacity = 0.08,
        },
        LayoutProperties = new LayoutProperties { DefaultBorderRadius = "8px", AppbarHeight = "56px" },
        Typography = new Typography
        {
            Default = new DefaultTypography { FontFamily = Sans, FontSize = ".875rem", LineHeight = "1.5", LetterSpacing = "normal" },
            H1 = new H1Typography { FontFamily = Sans, FontSize = "1.375rem", FontWeight = "650", LineHeight = "1.3", LetterSpacing = "-.012em" },
            H2 = new H2Typography { FontFamily = Sans, FontSize = "1rem", FontWeight = "620", LineHeight = "1.4", LetterSpacing = "-.006em" },
            H3 = new H3Typography { FontFamily = Sans, FontSize = ".875rem", FontWeight = "620", LineHeight = "1.4", LetterSpacing = "normal" },
            H6 = new H6Typography { FontFamily = Sans, FontSize = "1.0625rem", FontWeight = "620", LineHeight = "1.4", LetterSpacing = "-.006em" },
            Body1 = new Body1Typography { FontFamily = Sans, FontSize = ".875rem", LineHeight = "1.5", LetterSpacing = "normal" },
            Body2 = new Body2Typography { FontFamily = Sans, FontSize = ".8125rem", LineHeight = "1.5", LetterSpacing = "normal" },
            Button = new ButtonTypography { FontFamily = Sans, FontSize = ".8125rem", FontWeight = "600", LineHeight = "1.5", LetterSpacing = "normal", TextTransform = "none" },
            Caption = new CaptionTypography { FontFamily = Sans, FontSize = ".75rem", LineHeight = "1.4", LetterSpacing = "normal" },
        },
    };
}
