using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Deployer.Core.Access;

/// <summary>
/// Random keys that give access: API tokens, invitation links, session cookies. They hold 256 random bits, so a plain
/// SHA-256 of one is safe to store: there is nothing to guess.
/// </summary>
public static class AccessKey
{
    /// <summary>A new key of 256 random bits in base64url, after a prefix that tells people and scanners what it is.</summary>
    public static string Create(string prefix) => prefix + Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));

    /// <summary>What is stored of a key.</summary>
    public static byte[] Hash(string key) => SHA256.HashData(Encoding.UTF8.GetBytes(key));
}
