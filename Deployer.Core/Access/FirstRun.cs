using System.Security.Cryptography;
using System.Text;
using Deployer.Core.Data;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Deployer.Core.Access;

/// <summary>
/// The time before anybody owns the installation. There is no default password: the first owner is made by whoever
/// sits at the machine, or by whoever can read the one-time code that is printed at the start.
/// </summary>
public sealed partial class FirstRun(
    IDbContextFactory<DeployerDb> databases, ApiTokens tokens, IOptions<AuthOptions> options, ILogger<FirstRun> logger)
{
    /// <summary>Letters and digits that nobody mistakes for one another.</summary>
    private const string CodeAlphabet = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789";

    private readonly string _setupCode = RandomNumberGenerator.GetString(CodeAlphabet, 16);
    private volatile bool _owned;
    private volatile bool _closed;

    /// <summary>
    /// Whether nobody can have signed in yet: there is neither an owner nor an API token. Until then whoever sits at the
    /// machine has the owner's rights. Once over, it is over for good.
    /// </summary>
    public async Task<bool> IsOpenAsync(CancellationToken cancellationToken)
    {
        if (_closed)
        {
            return false;
        }

        if (await HasOwnerAsync(cancellationToken))
        {
            _closed = true;
            return false;
        }

        // A revoked token counts: whoever made it has taken possession.
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        _closed = await db.Set<ApiToken>().AnyAsync(cancellationToken);
        return !_closed;
    }

    /// <summary>Whether a person owns the installation.</summary>
    public async Task<bool> HasOwnerAsync(CancellationToken cancellationToken)
    {
        if (_owned)
        {
            return true;
        }

        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        _owned = await db.Set<PersonGrant>().AnyAsync(
            grant => grant.Role == AccessRole.Owner && grant.Environment == null, cancellationToken);
        return _owned;
    }

    /// <summary>Compares a code with the one printed at the start, in constant time; blanks, hyphens and case do not matter.</summary>
    public bool IsSetupCode(string? code)
    {
        var given = string.Concat((code ?? "").Where(char.IsAsciiLetterOrDigit)).ToUpperInvariant();
        return CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(given), Encoding.ASCII.GetBytes(_setupCode));
    }

    /// <summary>Makes the bootstrap token where one is set, and prints the setup code while there is no owner. Runs at the start.</summary>
    public async Task PrepareAsync(CancellationToken cancellationToken)
    {
        if (options.Value.BootstrapToken is { } token && !string.IsNullOrWhiteSpace(token))
        {
            if (token.Length < 32)
            {
                LogShortBootstrapToken(token.Length);
            }

            if (await tokens.BootstrapAsync(token, cancellationToken) == BootstrapOutcome.Ignored)
            {
                LogBootstrapTokenIgnored();
            }
        }

        if (!await HasOwnerAsync(cancellationToken))
        {
            LogSetupCode(string.Join('-', _setupCode.Chunk(4).Select(part => new string(part))));
        }
    }

    /// <summary>The code, for tests that play the reader of the log.</summary>
    internal string SetupCode => _setupCode;

    [LoggerMessage(LogLevel.Warning, "Nobody owns this Deployer yet. Open its page from this machine, or from elsewhere with the setup code {Code}, to make the owner's account. The code holds until the next start.")]
    private partial void LogSetupCode(string code);

    [LoggerMessage(LogLevel.Warning, "Auth:BootstrapToken has {Length} characters and the owner's rights. Use at least 32 random ones.")]
    private partial void LogShortBootstrapToken(int length);

    [LoggerMessage(LogLevel.Warning, "Auth:BootstrapToken differs from the one of an earlier start and has no effect. Make and revoke tokens on the page API tokens.")]
    private partial void LogBootstrapTokenIgnored();
}
