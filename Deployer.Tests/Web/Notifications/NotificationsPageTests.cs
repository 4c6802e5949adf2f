using Bunit;
using Deployer.Core.Access;
using Deployer.Core.Notifications;
using Deployer.Web.Features.Notifications;
using Microsoft.Extensions.DependencyInjection;
using TestContext = Xunit.TestContext;

namespace Deployer.Tests.Web.Notifications;

public sealed class NotificationsPageTests : IAsyncLifetime
{
    private readonly DashboardContext _context = new();

    public NotificationsPageTests() => _context.Services.AddNotifications();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _context.DisposeAsync();

    [Fact]
    public async Task Target_PressedTwice_IsAddedOnce()
    {
        var page = _context.Render<NotificationsPage>();
        page.WaitForElement("form input");
        await page.InvokeAsync(() => page.Find("form input[placeholder='team chat']").Change("team chat"));
        await page.InvokeAsync(() => page.Find("form .mono-input input").Change("https://chat.example.com/hooks/1"));

        await _context.SubmitTwiceAsync(page);

        page.WaitForAssertion(() => Assert.Single(page.FindAll("section[aria-label='Who is told'] tbody tr")));
        Assert.Single(await _context.Services.GetRequiredService<NotificationGate>().ListAsync(TestContext.Current.CancellationToken));
        Assert.Empty(page.FindAll("[role=alert]"));
    }
}
