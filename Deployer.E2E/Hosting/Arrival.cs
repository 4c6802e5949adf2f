using System.Text.RegularExpressions;
using Microsoft.Playwright;

namespace Deployer.E2E.Hosting;

/// <summary>
/// Waits for addresses by looking again and again: a navigation within the page that comes while one begins to wait for
/// the event of it goes unnoticed.
/// </summary>
internal static class Arrival
{
    /// <summary>Waits until the page's address ends in something.</summary>
    public static Task ArriveAtAsync(this IPage page, string ending) =>
        page.ArriveAtAsync(new Regex(Regex.Escape(ending) + "$", RegexOptions.None, TimeSpan.FromSeconds(1)));

    /// <summary>Waits until the page's address fits a pattern.</summary>
    public static Task ArriveAtAsync(this IPage page, Regex pattern) =>
        Assertions.Expect(page).ToHaveURLAsync(pattern, new() { Timeout = 30_000 });
}
