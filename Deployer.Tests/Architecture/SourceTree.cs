namespace Deployer.Tests.Architecture;

/// <summary>The sources of the solution, for rules that the compiler does not know.</summary>
internal static class SourceTree
{
    private static readonly string[] Endings = [".cs", ".razor", ".js", ".css"];
    private static readonly string[] Projects = ["Deployer.Core", "Deployer.Web", "Deployer.Tests", "Deployer.E2E", "Deployer.Bench"];

    private static readonly Lazy<IReadOnlyList<SourceFile>> Files = new(Read);

    /// <summary>What is written by hand: no build output, no migrations, no vendored assets.</summary>
    public static IReadOnlyList<SourceFile> All => Files.Value;

    /// <summary>The product alone.</summary>
    public static IEnumerable<SourceFile> Product => All.Where(file => file.IsIn("Deployer.Core") || file.IsIn("Deployer.Web"));

    /// <summary>The repository's root.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>Names what breaks a rule; fails when anything does.</summary>
    public static void AssertNone(IEnumerable<string> breaches, string rule)
    {
        var found = breaches.ToList();
        Assert.True(found.Count == 0, $"{rule}\n{string.Join('\n', found)}");
    }

    private static string FindRoot()
    {
        var directory = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(directory, "Deployer.sln")))
        {
            directory = Path.GetDirectoryName(directory) ?? throw new InvalidOperationException("The tests run outside the repository.");
        }

        return directory;
    }

    private static IReadOnlyList<SourceFile> Read() =>
        [.. Projects.SelectMany(project => Directory.EnumerateFiles(Path.Combine(Root, project), "*", SearchOption.AllDirectories))
            .Where(path => Endings.Any(ending => path.EndsWith(ending, StringComparison.Ordinal)))
            .Select(path => Path.GetRelativePath(Root, path).Replace('\\', '/'))
            .Where(path => !path.Split('/').Any(part => part is "bin" or "obj" or "Migrations" or "lib"))
            .Select(path => new SourceFile(path, File.ReadAllText(Path.Combine(Root, path))))];
}

/// <summary>A source file.</summary>
/// <param name="Path">Path from the root, with forward slashes.</param>
/// <param name="Text">Its text.</param>
internal sealed record SourceFile(string Path, string Text)
{
    /// <summary>Number of lines that are neither blank nor comment.</summary>
    public int CodeLines => Text.Split('\n').Select(line => line.TrimStart()).Count(line => line.Length > 0 && !IsComment(line));

    /// <summary>Whether it lies in a folder.</summary>
    public bool IsIn(string folder) => Path.StartsWith(folder + "/", StringComparison.Ordinal);

    private static bool IsComment(string line) =>
        line.StartsWith("//", StringComparison.Ordinal) || line.StartsWith("/*", StringComparison.Ordinal) || line.StartsWith('*');
}
