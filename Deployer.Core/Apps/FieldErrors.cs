namespace Deployer.Core.Apps;

/// <summary>Collects messages by field path while a draft is checked.</summary>
internal sealed class FieldErrors
{
    private readonly Dictionary<string, List<string>> _messages = new(StringComparer.Ordinal);

    public bool Any => _messages.Count > 0;

    /// <summary>A value as it can stand in a message: short, control characters made visible.</summary>
    public static string Show(string value)
    {
        var shown = string.Concat(value.Take(61).Select(c => char.IsControl(c) ? $"\\u{(int)c:x4}" : c.ToString()));
        return value.Length > 60 ? shown[..57] + "…" : shown;
    }

    public void Add(string path, string message)
    {
        if (!_messages.TryGetValue(path, out var messages))
        {
            _messages[path] = messages = [];
        }

        messages.Add(message);
    }

    /// <summary>A number within bounds, both inclusive; nothing is always well.</summary>
    public int? Within(string path, int? value, int least, int most, string what)
    {
        if (value < least || value > most)
        {
            Add(path, $"{what} is {value}; it is from {least} to {most}.");
        }

        return value;
    }

    public void CheckValue(string path, string? value, int maxLength)
    {
        if (value is null || value.Length > maxLength || value.Contains('\0', StringComparison.Ordinal))
        {
            Add(path, $"The value is a text without NUL characters, at most {maxLength} long.");
        }
    }

    /// <summary>Checks every entry of a list, with its path <c>field[index]</c>.</summary>
    public IReadOnlyList<TOut> Each<TIn, TOut>(string field, IReadOnlyList<TIn>? entries, int most, Func<TIn, string, TOut> check)
    {
        if (entries is null)
        {
            return [];
        }

        if (entries.Count > most)
        {
            Add(field, $"There are {entries.Count} entries; at most {most} are allowed.");
            return [];
        }

        return [.. entries.Select((entry, index) => check(entry, $"{field}[{index}]"))];
    }

    /// <summary>Checks every pair of a map, with its path <c>field.key</c>.</summary>
    public IReadOnlyDictionary<string, string> EachPair(
        string field, IReadOnlyDictionary<string, string?>? pairs, int most, Action<string, string?, string> check)
    {
        var result = new Dictionary<string, string>(StringComparer.Ordinal);
        if (pairs is null)
        {
            return result;
        }

        if (pairs.Count > most)
        {
            Add(field, $"There are {pairs.Count} entries; at most {most} are allowed.");
            return result;
        }

        foreach (var (key, value) in pairs)
        {
            check(key, value, $"{field}.{Show(key)}");
            result[key] = value ?? "";
        }

        return result;
    }

    public IReadOnlyDictionary<string, string[]> ToDictionary() =>
        _messages.ToDictionary(pair => pair.Key, pair => pair.Value.ToArray(), StringComparer.Ordinal);
}
