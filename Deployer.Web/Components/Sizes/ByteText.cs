using System.Globalization;

namespace Deployer.Web.Components.Sizes;

/// <summary>Numbers of bytes for people.</summary>
internal static class ByteText
{
    private static readonly string[] Decimal = ["B", "kB", "MB", "GB", "TB"];
    private static readonly string[] Binary = ["B", "KiB", "MiB", "GiB", "TiB"];

    /// <summary>As engines count, in thousands: <c>512 B</c>, <c>4.2 MB</c>, <c>120 MB</c>.</summary>
    public static string Of(double bytes) => Write(bytes, 1000, Decimal);

    /// <summary>As memory is counted and limited: <c>512 B</c>, <c>4.2 MiB</c>, <c>256 MiB</c>.</summary>
    public static string OfMemory(double bytes) => Write(bytes, 1024, Binary);

    private static string Write(double size, int step, string[] units)
    {
        var unit = 0;
        while (size >= step - 0.5 && unit < units.Length - 1)
        {
            size /= step;
            unit++;
        }

        var whole = unit == 0 || size >= 99.95;
        return string.Create(CultureInfo.InvariantCulture, $"{Math.Round(size, whole ? 0 : 1)} {units[unit]}");
    }
}
