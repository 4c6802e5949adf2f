using Deployer.E2E.Measurements;
using Deployer.E2E.Screens;
using Xunit.MicrosoftTestingPlatform;

namespace Deployer.E2E;

/// <summary>Runs the tests, with <c>measure NAME</c> one measurement, or with <c>screens DIRECTORY</c> makes the pictures of the docs.</summary>
internal static class Entry
{
    /// <summary>Measurements by name.</summary>
    private static readonly Dictionary<string, Func<Task>> Measurements = new(StringComparer.Ordinal)
    {
        ["console"] = ConsoleMeasurement.RunAsync,
        ["home"] = HomeMeasurement.RunAsync,
    };

    private static async Task<int> Main(string[] args)
    {
        if (args is ["screens", var directory])
        {
            await Tour.RunAsync(directory);
            return 0;
        }

        if (args is not ["measure", var name])
        {
            return await TestPlatformTestFramework.RunAsync(args, SelfRegisteredExtensions.AddSelfRegisteredExtensions);
        }

        if (!Measurements.TryGetValue(name, out var measure))
        {
            await Console.Error.WriteLineAsync($"There is no measurement '{name}'; there are: {string.Join(", ", Measurements.Keys)}.");
            return 2;
        }

        await measure();
        return 0;
    }
}
