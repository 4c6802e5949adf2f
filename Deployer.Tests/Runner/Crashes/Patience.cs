namespace Deployer.Tests.Runner.Crashes;

/// <summary>Waits for what a process or an engine outside of this one does, which rings no bell here: looks again and again.</summary>
internal static class Patience
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(150);

    /// <summary>How long something may take before it counts as never.</summary>
    public static TimeSpan Limit { get; } = TimeSpan.FromSeconds(180);

    /// <summary>Looks until it is so, and gives what was seen then.</summary>
    public static Task<T> UntilAsync<T>(string what, Func<Task<T>> look, Func<T, bool> isSo) => UntilAsync(what, look, isSo, () => "");

    /// <inheritdoc cref="UntilAsync{T}(string, Func{Task{T}}, Func{T, bool})"/>
    /// <param name="what">What is waited for.</param>
    /// <param name="look">Looks.</param>
    /// <param name="isSo">Whether that is it.</param>
    /// <param name="seen">What was seen last, in words.</param>
    public static async Task<T> UntilAsync<T>(string what, Func<Task<T>> look, Func<T, bool> isSo, Func<string> seen)
    {
        var began = TimeProvider.System.GetTimestamp();
        using var timer = new PeriodicTimer(LookInterval, TimeProvider.System);
        while (true)
        {
            var found = await look();
            if (isSo(found))
            {
                return found;
            }

            Assert.True(TimeProvider.System.GetElapsedTime(began) < Limit, $"Never: {what}. {seen()}");
            await timer.WaitForNextTickAsync(TestContext.Current.CancellationToken);
        }
    }
}
