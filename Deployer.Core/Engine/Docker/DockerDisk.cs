using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text.Json;
using Deployer.Core.Deployments;
using NodaTime;

namespace Deployer.Core.Engine.Docker;

/// <summary>
/// Measures an engine's disk. Asks the engine by itself, because the library reads only the newest form of the answer
/// (API 1.52), which most engines in use do not give: in the older one, the kinds stand side by side.
/// </summary>
internal sealed class DockerDisk : IDisposable
{
    private readonly Uri _endpoint;
    private readonly HttpClient _client;

    /// <param name="endpoint">Address of the engine, e.g. <c>unix:///var/run/docker.sock</c>.</param>
    public DockerDisk(Uri endpoint)
    {
        _endpoint = endpoint;
        var handler = new SocketsHttpHandler { UseProxy = false };
        if (endpoint.Scheme == "unix")
        {
            handler.ConnectCallback = async (_, cancellationToken) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                try
                {
                    await socket.ConnectAsync(new UnixDomainSocketEndPoint(endpoint.LocalPath), cancellationToken);
                    return new NetworkStream(socket, ownsSocket: true);
                }
                catch
                {
                    socket.Dispose();
                    throw;
                }
            };
        }

        _client = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
        _client.DefaultRequestHeaders.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
    }

    /// <inheritdoc cref="IContainerEngine.MeasureDiskAsync"/>
    public async Task<DiskUse> MeasureAsync(CancellationToken cancellationToken)
    {
        if (_endpoint.Scheme == "npipe")
        {
            throw new EngineException(FailureCode.Internal, "The disk of an engine behind a named pipe cannot be measured.", inner: null);
        }

        try
        {
            using var answer = await _client.GetAsync(Address(), cancellationToken);
            await using var body = await answer.Content.ReadAsStreamAsync(cancellationToken);
            using var json = await JsonDocument.ParseAsync(body, cancellationToken: cancellationToken);
            return answer.IsSuccessStatusCode
                ? Read(json.RootElement)
                : throw new EngineException(
                    FailureCode.Internal, json.RootElement.TryGetProperty("message", out var message) ? message.GetString() ?? "" : "The engine refused.", inner: null);
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException or SocketException && !cancellationToken.IsCancellationRequested)
        {
            throw new EngineUnreachableException(_endpoint.OriginalString, exception);
        }
        catch (JsonException exception)
        {
            throw new EngineException(FailureCode.Internal, "The engine answered something that is not JSON.", exception);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _client.Dispose();

    /// <summary>Reads an answer of the engine.</summary>
    /// <param name="answer">
    /// <c>{"LayersSize":100,"Images":[{"Id":"sha256:…","RepoTags":["web:v1"],"Created":1700000000,"Size":100,"SharedSize":40,"Containers":1}],
    /// "Containers":[{"SizeRw":3}],"Volumes":[{"UsageData":{"Size":5}}],"BuildCache":[{"Size":7}]}</c>, or by kind
    /// <c>{"ImageUsage":{"TotalSize":100,"Items":[…]},"ContainerUsage":{"TotalSize":3},…}</c>.
    /// </param>
    internal static DiskUse Read(JsonElement answer)
    {
        var images = Items(answer, "Images", "ImageUsage").Select(ToImage).OrderByDescending(image => image.CreatedAt).ToList();
        return new DiskUse(
            Number(answer, "LayersSize") ?? Total(answer, "ImageUsage"),
            Items(answer, "Containers", null).Sum(container => Number(container, "SizeRw") ?? 0) + Total(answer, "ContainerUsage"),
            Items(answer, "Volumes", null).Sum(volume => volume.TryGetProperty("UsageData", out var usage) ? Math.Max(0, Number(usage, "Size") ?? 0) : 0) + Total(answer, "VolumeUsage"),
            Items(answer, "BuildCache", null).Sum(record => Number(record, "Size") ?? 0) + Total(answer, "BuildCacheUsage"),
            images);
    }

    private static HeldImage ToImage(JsonElement image)
    {
        var bytes = Number(image, "Size") ?? 0;
        var names = image.TryGetProperty("RepoTags", out var tags) && tags.ValueKind == JsonValueKind.Array
            ? tags.EnumerateArray().Select(tag => tag.GetString()!).Where(tag => tag != "<none>:<none>").ToList()
            : [];
        return new HeldImage(
            image.GetProperty("Id").GetString()!,
            names,
            Instant.FromUnixTimeSeconds(Number(image, "Created") ?? 0),
            bytes,
            Math.Max(0, bytes - Math.Max(0, Number(image, "SharedSize") ?? 0)),
            (int)Math.Max(0, Number(image, "Containers") ?? 0));
    }

    private static JsonElement.ArrayEnumerator Items(JsonElement answer, string old, string? kind)
    {
        if (answer.TryGetProperty(old, out var list) && list.ValueKind == JsonValueKind.Array)
        {
            return list.EnumerateArray();
        }

        return kind is not null && answer.TryGetProperty(kind, out var usage) && usage.ValueKind == JsonValueKind.Object
            && usage.TryGetProperty("Items", out var items) && items.ValueKind == JsonValueKind.Array
            ? items.EnumerateArray()
            : default;
    }

    private static long Total(JsonElement answer, string kind) =>
        answer.TryGetProperty(kind, out var usage) && usage.ValueKind == JsonValueKind.Object ? Number(usage, "TotalSize") ?? 0 : 0;

    private static long? Number(JsonElement parent, string name) =>
        parent.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number ? value.GetInt64() : null;

    // A newer engine gives the items when it is asked to be verbose; an older one does not know the word and gives them anyway.
    private Uri Address() => _endpoint.Scheme switch
    {
        "unix" => new Uri("http://engine/system/df?verbose=1"),
        "tcp" => new Uri($"http://{_endpoint.Authority}/system/df?verbose=1"),
        _ => new Uri(_endpoint, "/system/df?verbose=1"),
    };
}
