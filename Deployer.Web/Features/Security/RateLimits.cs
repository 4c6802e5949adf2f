using System.Collections.Concurrent;
using System.Threading.RateLimiting;
using Deployer.Core.Access;
using Deployer.Web.Features.Problems;
using Microsoft.AspNetCore.RateLimiting;

namespace Deployer.Web.Features.Security;

/// <summary>How often somebody may try: guesses at passwords, codes and tokens, deliveries of webhooks, and requests at once.</summary>
internal sealed class RateLimits(TimeProvider time)
{
    /// <summary>Name of the policy for webhooks.</summary>
    public const string Webhooks = "webhooks";

    // Longer than an e-mail address can be. What is remembered of an attempt must not be as long as a request.
    private const int LongestAccount = 300;
    private const int SignInsPerAccount = 10;
    private const int SignInsPerAddress = 30;
    private const int WrongTokensPerAddress = 60;
    private const int DeliveriesPerApp = 60;
    private const int RequestsAtOnce = 2000;
    private const int AnonymousPerMinute = 600;

    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    private readonly AttemptLimit _accounts = new(SignInsPerAccount, Window, time);
    private readonly AttemptLimit _addresses = new(SignInsPerAddress, Window, time);
    private readonly AttemptLimit _wrongTokens = new(WrongTokensPerAddress, Window, time);

    // A program that goes on with a revoked token must not fill the log.
    private readonly AttemptLimit _tokenReports = new(1, TimeSpan.FromHours(1), time);

    /// <summary>Counts an attempt to sign in to an account, or to use a code or a link; <see langword="false"/> when there were too many.</summary>
    public bool MayTry(string account, string? address)
    {
        // Each counts, whatever the other says: who is turned away here does not learn more there.
        var isFromAddress = _addresses.TryTake(address ?? "");
        return _accounts.TryTake(account[..Math.Min(LongestAccount, account.Length)].ToUpperInvariant()) && isFromAddress;
    }

    /// <summary>Counts an attempt to sign in to whatever account; <see langword="false"/> when there were too many from the address.</summary>
    public bool MayTryFrom(string? address) => _addresses.TryTake(address ?? "");

    /// <summary>Whether an address has sent too many wrong tokens of late.</summary>
    public bool IsGuessing(string? address) => _wrongTokens.IsSpent(address ?? "");

    /// <summary>Counts a wrong token.</summary>
    /// <returns>Whether it is the first of its address within an hour, and worth an entry in the audit log.</returns>
    public bool CountWrongToken(string? address)
    {
        _wrongTokens.TryTake(address ?? "");
        return _tokenReports.TryTake(address ?? "");
    }

    /// <summary>Sets up the limits that the middleware keeps.</summary>
    public static void Configure(RateLimiterOptions options)
    {
        options.RejectionStatusCode = StatusCodes.Status429TooManyRequests;
        options.OnRejected = async (context, _) =>
        {
            context.HttpContext.Response.Headers.RetryAfter =
                context.Lease.TryGetMetadata(MetadataName.RetryAfter, out var after) ? $"{Math.Ceiling(after.TotalSeconds)}" : "1";
            await Problem.Of(StatusCodes.Status429TooManyRequests, "too_many_requests", "Too many requests; wait as long as Retry-After says, in seconds.")
                .ExecuteAsync(context.HttpContext);
        };
        options.AddPolicy(Webhooks, context => RateLimitPartition.GetFixedWindowLimiter(
            $"{context.GetRouteValue("app")} {context.Connection.RemoteIpAddress}", _ => Fixed(DeliveriesPerApp)));
        options.GlobalLimiter = PartitionedRateLimiter.Create<HttpContext, string>(context =>
            context.Features.Get<Actor>() is { } actor
                ? RateLimitPartition.GetConcurrencyLimiter(
                    $"{actor.Id} {actor.Address}",
                    _ => new ConcurrencyLimiterOptions { PermitLimit = RequestsAtOnce })
                : RateLimitPartition.GetFixedWindowLimiter($"{context.Connection.RemoteIpAddress}", _ => Fixed(AnonymousPerMinute)));
    }

    private static FixedWindowRateLimiterOptions Fixed(int permits) => new() { PermitLimit = permits, Window = Window };
}

/// <summary>Counts the connections that keep circuits alive, so that nobody fills the server's memory with open pages.</summary>
internal sealed class CircuitLimit
{
    /// <summary>Most open pages of one person, or of one address before there is an owner.</summary>
    public const int PagesAtOnce = 50;

    private readonly ConcurrentDictionary<string, int> _open = new(StringComparer.Ordinal);

    /// <summary>Takes a place; <see langword="null"/> when all are taken. Disposing gives it back.</summary>
    public IDisposable? TryEnter(string who)
    {
        if (_open.AddOrUpdate(who, 1, (_, count) => count + 1) > PagesAtOnce)
        {
            Leave(who);
            return null;
        }

        return new Place(this, who);
    }

    private void Leave(string who)
    {
        if (_open.AddOrUpdate(who, 0, (_, count) => count - 1) == 0)
        {
            _open.TryRemove(new KeyValuePair<string, int>(who, 0));
        }
    }

    private sealed class Place(CircuitLimit limit, string who) : IDisposable
    {
        private int _left;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _left, 1) == 0)
            {
                limit.Leave(who);
            }
        }
    }
}
