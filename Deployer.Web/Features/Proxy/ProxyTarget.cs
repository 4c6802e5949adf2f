using Deployer.Core.Routing;

namespace Deployer.Web.Features.Proxy;

/// <summary>
/// A container as the proxy sees it: where it is, the connections to it, and how many requests it has. Entering and
/// closing are one atomic word, so that once it is closed and its count is zero, no request can be on its way to it.
/// </summary>
/// <param name="id">Id of the target in the routes.</param>
/// <param name="address">Where it is.</param>
/// <param name="client">The connections; its own, so that none survives to whoever gets the address next.</param>
/// <param name="emptied">Called when the last request has left after the target was closed.</param>
internal sealed class ProxyTarget(long id, TargetAddress address, HttpMessageInvoker client, Action emptied) : IDisposable
{
    private const long ClosedBit = 1L << 62;

    private long _state;

    public long Id { get; } = id;

    public TargetAddress Address { get; } = address;

    public string Prefix { get; } = $"http://{address}/";

    public HttpMessageInvoker Client { get; } = client;

    /// <summary>Requests that have entered and not left.</summary>
    public int InFlight => (int)(Interlocked.Read(ref _state) & ~ClosedBit);

    public bool IsClosed => (Interlocked.Read(ref _state) & ClosedBit) != 0;

    /// <summary>Counts a request in; <see langword="false"/> when the target is closed and the table has a newer answer.</summary>
    public bool TryEnter()
    {
        if ((Interlocked.Increment(ref _state) & ClosedBit) == 0)
        {
            return true;
        }

        Leave();
        return false;
    }

    /// <summary>Counts a request out.</summary>
    public void Leave()
    {
        if (Interlocked.Decrement(ref _state) == ClosedBit)
        {
            emptied();
        }
    }

    /// <summary>Lets requests in, again after the switch was taken back.</summary>
    public void Open() => Interlocked.And(ref _state, ~ClosedBit);

    /// <summary>Lets no more requests in.</summary>
    public void Close() => Interlocked.Or(ref _state, ClosedBit);

    public void Dispose() => Client.Dispose();
}
