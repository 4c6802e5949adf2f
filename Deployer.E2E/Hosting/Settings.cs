namespace Deployer.E2E.Hosting;

/// <summary>What <c>./test.sh</c> tells the tests.</summary>
internal static class Settings
{
    /// <summary>The engine that <c>eng/engine.sh</c> brought up.</summary>
    public static string Engine => Required("DEPLOYER_TEST_DOCKER_HOST");

    /// <summary>Its registry, with the images of the tests.</summary>
    public static string Registry => Required("DEPLOYER_TEST_REGISTRY");

    /// <summary>Its registry that asks for credentials, and those.</summary>
    public static (string Host, string User, string Password) ClosedRegistry =>
        (Required("DEPLOYER_TEST_REGISTRY_AUTH"), Required("DEPLOYER_TEST_REGISTRY_USER"), Required("DEPLOYER_TEST_REGISTRY_PASSWORD"));

    /// <summary>Where screenshots and traces go.</summary>
    public static string Artifacts { get; } =
        Environment.GetEnvironmentVariable("DEPLOYER_TEST_ARTIFACTS") is { Length: > 0 } set ? Path.GetFullPath(set) : Path.GetFullPath("artifacts");

    /// <summary>The browser.</summary>
    public static string Chromium =>
        Environment.GetEnvironmentVariable("DEPLOYER_TEST_CHROMIUM") is { Length: > 0 } set ? set : "/usr/bin/chromium";

    /// <summary>An image of the test registry.</summary>
    public static string Image(string name) => $"{Registry}/{name}";

    private static string Required(string name) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } set
            ? set
            : throw new InvalidOperationException($"{name} is not set; ./test.sh e2e brings up the engine and sets it.");
}
