using Deployer.Core.Deployments;

namespace Deployer.Web.Features.Deployments;

/// <summary>How far a layer is, as a bar shows it.</summary>
/// <param name="Layer">Its short id.</param>
/// <param name="Says">What happens to it, in a word or two.</param>
/// <param name="Percent">How much of what happens is done, 0–100.</param>
/// <param name="IsUnpacking">Whether it has been downloaded and is unpacked, or is done.</param>
/// <param name="Bytes">Bytes downloaded.</param>
/// <param name="Total">Bytes in all; <see langword="null"/> while the engine has not said.</param>
internal sealed record LayerBar(string Layer, string Says, int Percent, bool IsUnpacking, long Bytes, long? Total);

/// <summary>Turns what the engine says of a pull, again and again, into bars, a sum and a rate.</summary>
internal sealed class PullMeter(TimeProvider time)
{
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(3);

    private readonly Queue<(long At, long Bytes)> _samples = new();

    /// <summary>The layers, in the engine's order of names.</summary>
    public IReadOnlyList<LayerBar> Bars { get; private set; } = [];

    /// <summary>Bytes downloaded of all layers.</summary>
    public long Bytes { get; private set; }

    /// <summary>Bytes in all of the layers of which the engine has said it.</summary>
    public long Total { get; private set; }

    /// <summary>Layers that are in place.</summary>
    public int Done { get; private set; }

    /// <summary>Bytes per second over the last seconds; 0 when nothing came.</summary>
    public double Rate { get; private set; }

    /// <summary>Takes how far the layers are now.</summary>
    public void Take(IReadOnlyList<LayerProgress> layers)
    {
        Bars = [.. layers.Select(Measure)];
        Bytes = Bars.Sum(bar => bar.Bytes);
        Total = Bars.Sum(bar => bar.Total ?? bar.Bytes);
        Done = layers.Count(layer => layer.Status is "Pull complete" or "Already exists");
        var now = time.GetTimestamp();
        _samples.Enqueue((now, Bytes));
        while (_samples.Count > 2 && time.GetElapsedTime(_samples.Peek().At, now) > Window)
        {
            _samples.Dequeue();
        }

        var (at, bytes) = _samples.Peek();
        var seconds = time.GetElapsedTime(at, now).TotalSeconds;
        Rate = seconds > 0 ? Math.Max(0, Bytes - bytes) / seconds : 0;
    }

    // The engine's words: Pulling fs layer, Waiting, Downloading, Verifying Checksum, Download complete, Extracting,
    // Pull complete, Already exists.
    private static LayerBar Measure(LayerProgress layer)
    {
        var total = layer.Total ?? 0;
        var current = layer.Current ?? 0;
        return layer.Status switch
        {
            "Downloading" => new LayerBar(layer.Layer, "Downloading", Percent(current, total), IsUnpacking: false, current, layer.Total),
            "Verifying Checksum" => new LayerBar(layer.Layer, "Verifying", 100, IsUnpacking: false, total, layer.Total),
            "Download complete" => new LayerBar(layer.Layer, "Downloaded", 100, IsUnpacking: false, total, layer.Total),
            "Extracting" => new LayerBar(layer.Layer, "Unpacking", Percent(current, total), IsUnpacking: true, total, layer.Total),
            "Pull complete" => new LayerBar(layer.Layer, "Done", 100, IsUnpacking: true, total, layer.Total),
            "Already exists" => new LayerBar(layer.Layer, "Here already", 100, IsUnpacking: true, total, layer.Total),
            _ => new LayerBar(layer.Layer, "Waiting", 0, IsUnpacking: false, 0, layer.Total),
        };
    }

    private static int Percent(long part, long whole) => whole > 0 ? (int)Math.Clamp(part * 100 / whole, 0, 100) : 0;
}
