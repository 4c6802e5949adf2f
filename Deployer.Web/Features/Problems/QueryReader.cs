using System.Globalization;
using Deployer.Core.Data;
using Microsoft.AspNetCore.Http.HttpResults;
using NodaTime;

namespace Deployer.Web.Features.Problems;

/// <summary>
/// Reads the query of a request and collects what is wrong with it. Parameters that the endpoint does not know are
/// refused: a misspelt <c>after</c> would silently begin again from the first line.
/// </summary>
internal sealed class QueryReader
{
    private readonly IQueryCollection _query;
    private readonly Dictionary<string, string[]> _errors = new(StringComparer.Ordinal);

    /// <param name="request">The request.</param>
    /// <param name="known">The parameters which the endpoint takes.</param>
    public QueryReader(HttpRequest request, params string[] known)
    {
        _query = request.Query;
        foreach (var (name, values) in _query)
        {
            if (!known.Contains(name, StringComparer.Ordinal))
            {
                _errors[name] = [$"There is no parameter '{name}' here; it takes {string.Join(", ", known)}."];
            }
            else if (values.Count > 1)
            {
                _errors[name] = [$"'{name}' is given {values.Count} times; give it once."];
            }
        }
    }

    /// <summary>The problem, when anything was wrong.</summary>
    public ProblemHttpResult? Problem => _errors.Count > 0 ? Problems.Problem.Invalid(_errors) : null;

    /// <summary>Whether the parameter is there.</summary>
    public bool Has(string name) => _query.ContainsKey(name);

    /// <summary>Records what is wrong with a parameter.</summary>
    public void Refuse(string name, string message) => _errors.TryAdd(name, [message]);

    /// <summary>A text; <see langword="null"/> when it is not there.</summary>
    public string? Text(string name) => _query.TryGetValue(name, out var values) ? values[0] : null;

    /// <summary>A whole number within bounds, both inclusive; <see langword="null"/> when it is not there or wrong.</summary>
    public long? Number(string name, long least, long most)
    {
        if (Text(name) is not { } text)
        {
            return null;
        }

        if (long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most)
        {
            return number;
        }

        Refuse(name, most == long.MaxValue
            ? $"'{name}' is '{Show(text)}'; it is a whole number from {least} on, e.g. {name}={least}."
            : $"'{name}' is '{Show(text)}'; it is a whole number from {least} to {most}, e.g. {name}={Math.Min(most, 500)}.");
        return null;
    }

    /// <summary>A word of an enumeration, in snake_case; <see langword="null"/> when it is not there or wrong.</summary>
    public T? Word<T>(string name)
        where T : struct, Enum
    {
        if (Text(name) is not { } text)
        {
            return null;
        }

        var words = Enum.GetValues<T>().ToDictionary(
            value => System.Text.Json.JsonNamingPolicy.SnakeCaseLower.ConvertName(value.ToString()), StringComparer.Ordinal);
        if (words.TryGetValue(text, out var word))
        {
            return word;
        }

        Refuse(name, $"'{name}' is '{Show(text)}'; it is one of {string.Join(", ", words.Keys)}.");
        return null;
    }

    /// <summary>
    /// An instant by RFC 3339; <see langword="null"/> when it is not there or wrong. A <c>+</c> that was sent unescaped
    /// arrives as a space (application/x-www-form-urlencoded); no instant has a space there, so it is read as the plus.
    /// </summary>
    public Instant? Instant(string name)
    {
        if (Text(name) is not { } text)
        {
            return null;
        }

        const int OffsetLength = 6;
        var sent = text.Length > OffsetLength && text[^OffsetLength] == ' ' ? $"{text[..^OffsetLength]}+{text[^(OffsetLength - 1)..]}" : text;
        if (Rfc3339.TryParse(sent, out var instant, out var error))
        {
            return instant;
        }

        Refuse(name, $"'{name}' is '{Show(text)}'. {error} Write it like {name}={Rfc3339.Example}; leave it out for the beginning.");
        return null;
    }

    private static string Show(string text) => text.Length <= 60 ? text : text[..57] + "…";
}
