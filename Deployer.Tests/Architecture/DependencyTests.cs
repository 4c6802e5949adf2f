using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Deployer.Tests.Architecture;

/// <summary>What the product is built on is pinned, so that a scan of it says something about what is shipped.</summary>
public sealed partial class DependencyTests
{
    [Fact]
    public void Packages_HaveOneExactVersion_SetCentrally()
    {
        var central = XDocument.Load(Path.Combine(SourceTree.Root, "Directory.Packages.props"));
        SourceTree.AssertNone(
            central.Descendants("PackageVersion").Select(package => $"{package.Attribute("Include")!.Value} {package.Attribute("Version")!.Value}")
                .Where(package => !ExactVersion().IsMatch(package)),
            "A version is exact: no ranges, no wildcards.");
        SourceTree.AssertNone(
            Directory.EnumerateFiles(SourceTree.Root, "*.csproj", SearchOption.AllDirectories)
                .Where(path => XDocument.Load(path).Descendants("PackageReference").Any(reference => reference.Attribute("Version") is not null)),
            "Versions are in Directory.Packages.props alone.");
    }

    [Fact]
    public void Scripts_ComeWith_NoPackageManager() =>
        SourceTree.AssertNone(
            Directory.EnumerateFiles(SourceTree.Root, "*.json", SearchOption.AllDirectories)
                .Select(path => Path.GetRelativePath(SourceTree.Root, path))
                .Where(path => Path.GetFileName(path) is "package.json" or "package-lock.json" && !path.Split('/').Any(part => part is "bin" or "obj" or "artifacts")),
            "Scripts of pages are our own modules; a package of npm would want a scan of its own in eng/audit.sh.");

    [GeneratedRegex(@"^\S+ \d+\.\d+\.\d+(\.\d+)?$", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex ExactVersion();
}
