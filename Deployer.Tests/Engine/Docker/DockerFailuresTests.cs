using System.Net;
using Deployer.Core.Deployments;
using Deployer.Core.Engine.Docker;
using Docker.DotNet;

namespace Deployer.Tests.Engine.Docker;

/// <summary>Answers of engines other than the one at hand, in their words.</summary>
public sealed class DockerFailuresTests
{
    [Theory]
    [InlineData(404, "manifest for r.example/web:x not found: manifest unknown: manifest unknown", FailureCode.ImageNotFound)]
    [InlineData(404, "failed to resolve reference \"r.example/web:x\": r.example/web:x: not found", FailureCode.ImageNotFound)]
    [InlineData(404, "", FailureCode.ImageNotFound)]
    [InlineData(500, "Head \"https://r.example/v2/web/manifests/x\": no basic auth credentials", FailureCode.AccessDenied)]
    [InlineData(401, "Get \"https://r.example/v2/\": unauthorized: authentication required", FailureCode.AccessDenied)]
    [InlineData(404, "pull access denied for r.example/web, repository does not exist or may require 'docker login'", FailureCode.AccessDenied)]
    [InlineData(500, "denied: requested access to the resource is denied", FailureCode.AccessDenied)]
    [InlineData(500, "Head \"https://registry.example.com/v2/o/r/manifests/latest\": denied", FailureCode.AccessDenied)]
    [InlineData(500, "Head \"https://registry.example.com/v2/o/r/manifests/latest\": denied: denied", FailureCode.AccessDenied)]
    [InlineData(null, "denied: denied", FailureCode.AccessDenied)]
    [InlineData(500, "failed to fetch oauth token: unexpected status from GET request to https://registry.example.com/token?scope=x: 403 Forbidden", FailureCode.AccessDenied)]
    [InlineData(500, "failed to fetch oauth token: unexpected status from GET request to https://registry.example.com/token?scope=x: 502 Bad Gateway", FailureCode.RegistryUnreachable)]
    [InlineData(403, "", FailureCode.AccessDenied)]
    [InlineData(500, "toomanyrequests: You have reached your pull rate limit.", FailureCode.RateLimited)]
    [InlineData(429, "", FailureCode.RateLimited)]
    [InlineData(404, "no matching manifest for linux/amd64 in the manifest list entries: no match for platform in manifest: not found", FailureCode.PlatformMismatch)]
    [InlineData(500, "Get \"https://r.example/v2/\": dial tcp: lookup r.example: no such host", FailureCode.RegistryUnreachable)]
    [InlineData(500, "Get \"https://r.example/v2/\": net/http: TLS handshake timeout", FailureCode.RegistryUnreachable)]
    [InlineData(500, "http: server gave HTTP response to HTTPS client", FailureCode.RegistryUnreachable)]
    [InlineData(500, "received unexpected HTTP status: 503 Service Temporarily Unavailable", FailureCode.RegistryUnreachable)]
    [InlineData(null, "write /var/lib/docker/tmp/GetImageBlob1: no space left on device", FailureCode.DiskFull)]
    [InlineData(null, "context canceled", FailureCode.EngineUnreachable)]
    [InlineData(500, "open /var/lib/docker/tmp/GetImageBlob1: permission denied", FailureCode.Internal)]
    [InlineData(500, "something nobody has seen before", FailureCode.Internal)]
    public void OfPull_WordsOfSeveralEngines_GiveTheCode(int? status, string text, FailureCode code)
    {
        Assert.Equal(code, DockerFailures.OfPull((HttpStatusCode?)status, text));
    }

    [Theory]
    [InlineData("driver failed programming external connectivity on endpoint x: Bind for 0.0.0.0:80 failed: port is already allocated", FailureCode.PortInUse)]
    [InlineData("failed to set up container networking: listen tcp4 0.0.0.0:80: bind: address already in use", FailureCode.PortInUse)]
    [InlineData("No such image: r.example/web:x", FailureCode.ImageNotFound)]
    [InlineData("mkdir /var/lib/docker/overlay2/x: no space left on device", FailureCode.DiskFull)]
    [InlineData("OCI runtime create failed: exec: \"/x\": stat /x: no such file or directory: unknown", FailureCode.ContainerExited)]
    public void OfStart_WordsOfSeveralEngines_GiveTheCode(string text, FailureCode code)
    {
        Assert.Equal(code, DockerFailures.OfStart(HttpStatusCode.InternalServerError, text));
    }

    [Theory]
    [InlineData("{\"message\":\"No such image\"}\n", "No such image")]
    [InlineData("<html>Bad Gateway</html>", "<html>Bad Gateway</html>")]
    [InlineData("[1]", "[1]")]
    [InlineData("", "The engine answered with status 502.")]
    public void MessageOf_AnyBody_GivesReadableWords(string body, string message)
    {
        Assert.Equal(message, DockerFailures.MessageOf(new DockerApiException(HttpStatusCode.BadGateway, body)));
    }
}
