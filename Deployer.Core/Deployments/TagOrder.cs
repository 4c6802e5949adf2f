using Deployer.Core.Engine;

namespace Deployer.Core.Deployments;

/// <summary>
/// Puts tags into the order in which people look for them: <c>latest</c>, then versions with the highest first, digits
/// compared as numbers (<c>v10</c> before <c>v9</c>).
/// </summary>
public sealed class TagOrder : IComparer<string>
{
    private TagOrder()
    {
    }

    /// <summary>The one order.</summary>
    public static TagOrder NewestFirst { get; } = new();

    /// <inheritdoc/>
    public int Compare(string? x, string? y)
    {
        var byLatest = (y == ImageReference.DefaultTag).CompareTo(x == ImageReference.DefaultTag);
        return byLatest != 0 ? byLatest : CompareNaturally(y ?? "", x ?? "");
    }

    private static int CompareNaturally(ReadOnlySpan<char> one, ReadOnlySpan<char> other)
    {
        while (one.Length > 0 && other.Length > 0)
        {
            var bothDigits = char.IsAsciiDigit(one[0]) && char.IsAsciiDigit(other[0]);
            var first = bothDigits ? Number(ref one) : Take(ref one);
            var second = bothDigits ? Number(ref other) : Take(ref other);
            var order = first.Length != second.Length ? first.Length.CompareTo(second.Length) : first.SequenceCompareTo(second);
            if (order != 0)
            {
                return order;
            }
        }

        return one.Length.CompareTo(other.Length);
    }

    private static ReadOnlySpan<char> Take(ref ReadOnlySpan<char> text)
    {
        var first = text[..1];
        text = text[1..];
        return first;
    }

    // Without leading zeros, so that the longer one is the greater one.
    private static ReadOnlySpan<char> Number(ref ReadOnlySpan<char> text)
    {
        var end = text.IndexOfAnyExceptInRange('0', '9');
        var digits = end < 0 ? text : text[..end];
        text = text[digits.Length..];
        return digits.TrimStart('0');
    }
}
