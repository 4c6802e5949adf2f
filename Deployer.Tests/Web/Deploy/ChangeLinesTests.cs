using Deployer.Core.Deployments;
using Deployer.Web.Features.Deploy;

namespace Deployer.Tests.Web.Deploy;

public sealed class ChangeLinesTests
{
    [Theory]
    [InlineData("memory_mb", "null", "64", new[] { "Memory (MiB): → 64" })]
    [InlineData("image", "\"web:v1\"", "\"web:v2\"", new[] { "Image: web:v1 → web:v2" })]
    [InlineData("image", "\"web:v1@sha256:0123456789abcdef\"", "\"web@sha256:fedcba9876543210\"", new[] { "Image: web:v1 (0123456789ab) → web (fedcba987654)" })]
    [InlineData("env", """{"A":"1","B":"2"}""", """{"B":"3","C":"4"}""", new[] { "Variable A: 1 →", "Variable B: 2 → 3", "Variable C: → 4" })]
    [InlineData("secrets", """["A","B"]""", """["B","C"]""", new[] { "Secret: A →", "Secret: → C" })]
    [InlineData("ports", "[]", """[{"container":8080,"host":0}]""", new[] { "Port: → container 8080, host 0" })]
    [InlineData("command", """["a"]""", """["b","c"]""", new[] { "Command: a → b c" })]
    [InlineData("health", "null", """{"path":"/up","port":80}""", new[] { "Health check: → path /up, port 80" })]
    [InlineData("read_only_root", "false", "true", new[] { "Read-only root: false → true" })]
    public void Of_Difference_SaysItEntryByEntry(string field, string before, string after, string[] lines) =>
        Assert.Equal(lines, ChangeLines.Of([new SpecDifference(field, before, after)])
            .Select(line => $"{line.What}: {line.Before} → {line.After}".Replace(":  →", ": →", StringComparison.Ordinal).TrimEnd()));

    [Theory]
    [InlineData("localhost:5000/team/web:v1", "v2", "localhost:5000/team/web:v2")]
    [InlineData("localhost:5000/team/web", " v2 ", "localhost:5000/team/web:v2")]
    [InlineData("web:v1", "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "web@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]
    [InlineData("web:v1", "", null)]
    [InlineData("web:v1", "a b", null)]
    [InlineData("web:v1", "other/image", null)]
    [InlineData("web:v1", "sha256:short", null)]
    public void TryChoose_Version_GivesTheImageOrSaysWhatIsWrong(string image, string version, string? expected)
    {
        Assert.Equal(expected is not null, ImageChoice.TryChoose(image, version, out var chosen, out var error));
        Assert.Equal(expected, chosen);
        Assert.Equal(expected is null, error is not null);
    }

    [Theory]
    [InlineData("localhost:5000/web", "localhost:5000/web", "latest")]
    [InlineData("localhost:5000/web:v1", "localhost:5000/web", "v1")]
    [InlineData("web@sha256:aa", "web", "sha256:aa")]
    [InlineData("web:v1@sha256:aa", "web", "sha256:aa")]
    public void RepositoryAndVersion_Image_AreToldApart(string image, string repository, string version) =>
        Assert.Equal((repository, version), (ImageChoice.Repository(image), ImageChoice.Version(image)));
}
