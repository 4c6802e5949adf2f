using System.Security.Cryptography;
using System.Text;
using Deployer.Core.Access;

namespace Deployer.Core.Webhooks;

/// <summary>What a sender shows to prove itself.</summary>
/// <param name="Signature">
/// Value of <c>X-Hub-Signature-256</c>: <c>sha256=</c> and the HMAC-SHA256 of the body in hexadecimal digits;
/// <see langword="null"/> when it did not sign.
/// </param>
/// <param name="Key">The address key, for senders that cannot sign; <see langword="null"/> when it shows none.</param>
public sealed record WebhookProof(string? Signature, string? Key);

/// <summary>Checks what senders show, in a time that says nothing about how nearly right it was.</summary>
internal static class WebhookSignature
{
    private const string Prefix = "sha256=";

    /// <summary>Whether a proof is genuine.</summary>
    /// <param name="proof">What the sender shows.</param>
    /// <param name="body">The body, byte for byte.</param>
    /// <param name="secret">The signing secret.</param>
    /// <param name="keyHash">Hash of the address key; <see langword="null"/> when only signatures are taken.</param>
    public static bool IsGenuine(WebhookProof proof, ReadOnlySpan<byte> body, string secret, byte[]? keyHash)
    {
        // A wrong signature counts as wrong, whatever key comes with it.
        if (proof.Signature is { } signature)
        {
            return IsSigned(signature, body, secret);
        }

        return proof.Key is { } key && keyHash is not null && CryptographicOperations.FixedTimeEquals(AccessKey.Hash(key), keyHash);
    }

    private static bool IsSigned(string signature, ReadOnlySpan<byte> body, string secret)
    {
        Span<byte> right = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), body, right);
        var given = new byte[HMACSHA256.HashSizeInBytes];
        var isReadable = signature.Length == Prefix.Length + (given.Length * 2)
            && signature.StartsWith(Prefix, StringComparison.Ordinal)
            && Convert.FromHexString(signature.AsSpan(Prefix.Length), given, out _, out _) == System.Buffers.OperationStatus.Done;
        return CryptographicOperations.FixedTimeEquals(right, given) && isReadable;
    }
}
