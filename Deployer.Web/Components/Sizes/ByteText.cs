using System.Globalization;

namespace Deployer.Web.Components.Sizes;

/// <summary>Numbers of bytes for people.</summary>
internal static class ByteText
{
    private static readonly string[] Units = ["B", "kB", "MB", "GB", "TB"];

    /// <summary>As engines count, in thousands: <c>512 B</c>, <c>4.2 MB</c>, <c>120 MB</c>.</summary>
    public static string Of(double bytes)
    {
        var unit = 0;
        while (bytes >= 999.5 && unit < Units.Length - 1)
        {
            bytes /= 1000;
            unit++;
        }

        var whole = unit == 0 || bytes >= 99.95;
        return string.Create(CultureInfo.InvariantCulture, $"{Math.Round(bytes, whole ? 0 : 1)} {Units[unit]}");
    }
}
