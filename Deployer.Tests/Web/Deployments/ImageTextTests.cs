using Deployer.Web.Features.Deployments;

namespace Deployer.Tests.Web.Deployments;

public sealed class ImageTextTests
{
    [Theory]
    [InlineData("web", "web", "latest")]
    [InlineData("web:v1", "web", "v1")]
    [InlineData("127.0.0.1:5000/web", "web", "latest")]
    [InlineData("127.0.0.1:5000/team/web:v1", "web", "v1")]
    [InlineData("web@sha256:0123456789abcdef", "web", "0123456789ab")]
    [InlineData("host/web:v1@sha256:0123456789abcdef", "web", "v1")]
    public void NameAndVersion_Reference_AreItsLastParts(string image, string name, string version) =>
        Assert.Equal((name, version), (ImageText.Name(image), ImageText.Version(image)));

    [Theory]
    [InlineData("host/web:v1", null, "host/web:v1")]
    [InlineData("host/web:v1", "sha256:0123456789abcdef", "host/web:v1 (0123456789ab)")]
    [InlineData("host/web@sha256:0123456789abcdef", null, "host/web (0123456789ab)")]
    [InlineData("host/web:v1@sha256:0123456789abcdef", "sha256:0123456789abcdef", "host/web:v1 (0123456789ab)")]
    public void WithShortDigest_Reference_IsNamedOnceAndShort(string image, string? digest, string text) =>
        Assert.Equal(text, ImageText.WithShortDigest(image, digest));
}
