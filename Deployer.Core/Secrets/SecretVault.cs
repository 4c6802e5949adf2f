using System.Security.Cryptography;
using Microsoft.AspNetCore.DataProtection;

namespace Deployer.Core.Secrets;

/// <summary>
/// Encrypts what must not be stored in the clear, with ASP.NET Core Data Protection (authenticated encryption; keys in the
/// data directory, for the owner alone).
/// </summary>
public sealed class SecretVault(IDataProtectionProvider provider)
{
    /// <summary>Encrypts a text for one purpose; for another it cannot be read.</summary>
    public string Seal(string purpose, string text) => provider.CreateProtector("Deployer", purpose).Protect(text);

    /// <summary>Decrypts what <see cref="Seal"/> gave.</summary>
    /// <exception cref="SecretUnreadableException">The key is not there any more, or the text was tampered with.</exception>
    public string Open(string purpose, string sealedText)
    {
        try
        {
            return provider.CreateProtector("Deployer", purpose).Unprotect(sealedText);
        }
        catch (CryptographicException exception)
        {
            throw new SecretUnreadableException(exception);
        }
    }
}

/// <summary>A stored secret cannot be decrypted.</summary>
public sealed class SecretUnreadableException(Exception inner) : Exception(
    "A stored secret cannot be decrypted: the keys in Data:Directory are not those it was stored with. Restore them from a backup, or store the secret again.",
    inner);
