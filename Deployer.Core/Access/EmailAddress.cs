using System.Diagnostics.CodeAnalysis;
using MimeKit;

namespace Deployer.Core.Access;

/// <summary>Whether a text is the address of a mailbox (RFC 5321: at most 254 characters).</summary>
internal static class EmailAddress
{
    /// <summary>Whether it is <c>local@domain</c>, without a name, comments or control characters.</summary>
    public static bool IsValid([NotNullWhen(true)] string? text) =>
        text is { Length: > 2 and <= 254 }
        && !text.Any(character => char.IsControl(character) || char.IsWhiteSpace(character))
        && MailboxAddress.TryParse(text, out var mailbox)
        && string.Equals(mailbox.Address, text, StringComparison.Ordinal)
        && text.Contains('@', StringComparison.Ordinal);
}
