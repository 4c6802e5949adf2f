using System.Buffers;
using System.Text;
using System.Text.Json;
using Deployer.Core.Audit;
using Deployer.Core.Data;

namespace Deployer.Web.Features.Audit;

/// <summary>Writes the audit log as a file, entry by entry, so that memory does not grow with it.</summary>
internal static class AuditFile
{
    private const int FlushBytes = 32 * 1024;

    private static readonly string[] Columns =
    [
        "id", "at", "actor_kind", "actor_id", "actor_name", "address", "action", "subject", "environment", "before", "after", "note",
    ];

    // What spreadsheets take for the beginning of a formula (OWASP, CSV injection), also behind a blank.
    private static readonly SearchValues<char> FormulaStarts = SearchValues.Create("=+-@\t\r＝＋－＠");
    private static readonly SearchValues<char> Quoted = SearchValues.Create(",\"\r\n");

    /// <summary>One JSON object a line.</summary>
    public static Task WriteJsonLinesAsync(IAsyncEnumerable<AuditEntry> entries, Stream target, CancellationToken cancellationToken) =>
        WriteAsync(entries, target, heading: "", entry => JsonSerializer.Serialize(AuditEntryJson.Of(entry), DeployerJson.Options) + "\n", cancellationToken);

    /// <summary>CSV by RFC 4180, with a heading. A field that a spreadsheet would take for a formula begins with an apostrophe.</summary>
    public static Task WriteCsvAsync(IAsyncEnumerable<AuditEntry> entries, Stream target, CancellationToken cancellationToken) =>
        WriteAsync(entries, target, string.Join(',', Columns) + "\r\n", Row, cancellationToken);

    private static string Row(AuditEntry entry) => string.Join(',', new[]
    {
        entry.Id.ToString(System.Globalization.CultureInfo.InvariantCulture), Rfc3339.Format(entry.At),
        JsonNamingPolicy.SnakeCaseLower.ConvertName(entry.ActorKind.ToString()), entry.ActorId, entry.ActorName, entry.Address, entry.Action,
        entry.Subject, entry.Environment, entry.Before, entry.After, entry.Note,
    }.Select(Field)) + "\r\n";

    /// <summary>One field of a CSV file.</summary>
    internal static string Field(string? value)
    {
        if (string.IsNullOrEmpty(value))
        {
            return "";
        }

        var rest = value.AsSpan().TrimStart(" \u00a0\ufeff");
        var safe = rest.Length > 0 && FormulaStarts.Contains(rest[0]) ? "'" + value : value;
        return safe.AsSpan().ContainsAny(Quoted) ? $"\"{safe.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : safe;
    }

    private static async Task WriteAsync(
        IAsyncEnumerable<AuditEntry> entries, Stream target, string heading, Func<AuditEntry, string> format, CancellationToken cancellationToken)
    {
        var buffer = new ArrayBufferWriter<byte>();
        Encoding.UTF8.GetBytes(heading, buffer);
        await foreach (var entry in entries.WithCancellation(cancellationToken))
        {
            Encoding.UTF8.GetBytes(format(entry), buffer);
            if (buffer.WrittenCount >= FlushBytes)
            {
                await target.WriteAsync(buffer.WrittenMemory, cancellationToken);
                buffer.ResetWrittenCount();
            }
        }

        await target.WriteAsync(buffer.WrittenMemory, cancellationToken);
    }
}
