using System.Collections.Concurrent;
using System.Threading.RateLimiting;
using Deployer.Core.Access;
using Deployer.Web.Features.Problems;
using Microsoft.AspNetCore.RateLimiting;

namespace Deployer.Web.Features.Security;

/// <summary>How often somebody may try: guesses at passwords, codes and tokens, deliveries of webhooks, and requests at once.</summary>
internal sealed class RateLimits : IDisposable
{
    /// <summary>Name of the policy for webhooks.</summary>
    public const string Webhooks = "webhooks";

    private const int SignInsPerAccount = 10;
    private const int SignInsPerAddress = 30;
    private const int WrongTokensPerAddress = 60;
    private const int DeliveriesPerApp = 60;
    private const int RequestsAtOnce = 2000;
    private const int AnonymousPerMinute = 600;

    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    private readonly PartitionedRateLimiter<string> _accounts = PerMinute(SignInsPerAccount);
    private readonly PartitionedRateLimiter<string> _addresses = PerMinute(SignInsPerAddress);
    private readonly PartitionedRateLimiter<string> _wrongTokens = PerMinute(WrongTokensPerAddress);

    /// <summary>Counts an attempt to sign in to an account, or to use a code or a link; <see langword="false"/> when there were too many.</summary>
    public async Task<bool> MayTryAsync(string account, string? address, CancellationToken cancellationToken)
    {
        using var perAddress = await _addresses.AcquireAsync(address ?? "", 1, cancellationToken);
        using var perAccount = await _accounts.AcquireAsync(account.ToUpperInvariant(), 1, cancellationToken);
        return perAddress.IsAcquired && perAccount.IsAcquired;
    }

    /// <summary>Whether an address has sent too many wrong tokens of late.</summary>
    public bool IsGuessing(string? address) => _wrongTokens.GetStatistics(address ?? "") is { CurrentAvailablePermits: 0 };

    /// <summary>Counts a wrong token.</summary>
    public void CountWrongToken(string? address) => _wrongTokens.AttemptAcquire(address ?? "").Dispose();

    /// <inheritdoc/>
    public void Dispose()
    {
        _accounts.Dispose();
        _addresses.Dispose();
        _wrongTokens.Dispose();
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

    private static PartitionedRateLimiter<string> PerMinute(int permits) =>
        PartitionedRateLimiter.Create<string, string>(key => RateLimitPartition.GetFixedWindowLimiter(key, _ => Fixed(permits)));

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
