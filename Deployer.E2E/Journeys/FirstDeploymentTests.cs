using Deployer.E2E.Hosting;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Deployer.E2E.Journeys;

public sealed class FirstDeploymentTests(Browser browser) : Journey(browser)
{
    [Fact]
    public async Task Journey_AddAppAndDeploy_LinesGrowUntilItSucceededAndSurviveAReload()
    {
        var dashboard = Keep(Dashboard.Start());
        var window = await OpenAsync(dashboard);
        var name = $"web-{Guid.NewGuid():N}"[..10];

        await window.GoToAsync("/");
        await window.Home.AddApp.ClickAsync();
        await window.AppForm.Name.FillAsync(name);
        await window.AppForm.Image.FillAsync(Settings.Image("web:v1"));
        await window.AppForm.AddPort.ClickAsync();
        await window.AppForm.ContainerPort.FillAsync("8080");
        await window.AppForm.Add.ClickAsync();
        await window.Page.ArriveAtAsync($"/apps/{name}");
        await window.App.Deploy.ClickAsync();
        await window.Deploy.Deploy.ClickAsync();

        await window.Deployment.ArriveAsync();
        await Expect(window.Deployment.Rows.First).ToBeVisibleAsync();
        await window.Deployment.EndsAsync("Succeeded");
        await Expect(window.Deployment.Rows.Last).ToContainTextAsync("succeeded");
        await window.ScreenshotAsync("journey-succeeded");

        var (lines, status) = await dashboard.FollowAsync(window.Deployment.Id);
        Assert.Equal("succeeded", status);
        Assert.Equal(lines, await window.Deployment.ReadAllAsync(lines.Count));

        // The steps come with the first answer of the circuit.
        await window.Page.ReloadAsync();
        await Expect(window.Deployment.OpenAllSteps).ToBeVisibleAsync(new() { Timeout = 30_000 });
        Assert.Equal(lines, await window.Deployment.ReadAllAsync(lines.Count));

        await window.GoToAsync("/");
        await Expect(window.Home.Row(name)).ToContainTextAsync("Succeeded");
    }

    [Fact]
    public async Task Journey_WhileRunning_LinesGrowOnTheScreen()
    {
        var dashboard = Keep(Dashboard.Start());
        var window = await OpenAsync(dashboard);
        var app = await dashboard.AddAppAsync("chatty", Settings.Image("chatty"));
        var id = await dashboard.DeployAsync(app);

        await window.GoToAsync($"/deployments/{id}");
        await Expect(window.Deployment.Rows.First).ToBeVisibleAsync();
        var before = await window.Deployment.Rows.CountAsync();
        await window.Page.WaitForFunctionAsync("before => document.querySelectorAll('.viewport .row').length > before", before);

        await window.Deployment.EndsAsync("Succeeded");
    }

    [Fact]
    public async Task Journey_WrongImage_ShowsWhyItFailed()
    {
        var dashboard = Keep(Dashboard.Start());
        var window = await OpenAsync(dashboard);
        var app = await dashboard.AddAppAsync("typo", Settings.Image("web:nosuchtag"));

        await window.GoToAsync("/");
        await window.Home.DeployAsync(app);
        await window.Deployment.ArriveAsync();
        await window.Deployment.EndsAsync("Failed");

        await Expect(window.Deployment.Failure).ToContainTextAsync("Image not found");
        await Expect(window.Deployment.Failure).ToContainTextAsync("What to do");
        await window.ScreenshotAsync("journey-image-not-found");
    }

    [Fact]
    public async Task Journey_TwoBrowsersAtOnce_SeeTheSameLines()
    {
        var dashboard = Keep(Dashboard.Start());
        var one = await OpenAsync(dashboard);
        var other = await OpenAsync(dashboard, Look.DarkPhone);
        var id = await dashboard.DeployAsync(await dashboard.AddAppAsync("web", Settings.Image("web:v1")));
        await one.GoToAsync($"/deployments/{id}");
        await other.GoToAsync($"/deployments/{id}");

        await one.Deployment.EndsAsync("Succeeded");
        await other.Deployment.EndsAsync("Succeeded");

        var (lines, _) = await dashboard.FollowAsync(id);
        Assert.Equal(lines, await one.Deployment.ReadAllAsync(lines.Count));
        Assert.Equal(lines, await other.Deployment.ReadAllAsync(lines.Count));
    }

    [Fact]
    public async Task Form_BadImage_ShowsTheBadPartBesideTheField()
    {
        var dashboard = Keep(Dashboard.Start());
        var window = await OpenAsync(dashboard);

        await window.GoToAsync("/apps/new");
        await window.AppForm.Image.FillAsync("registry.example.com/Team/web");
        await window.AppForm.Image.BlurAsync();

        await Expect(window.AppForm.ImageError).ToContainTextAsync("'T' at character 22");
    }

    [Fact]
    public async Task Engine_DoesNotAnswer_BannerNamesItAndTheDashboardStaysUp()
    {
        const string Nowhere = "unix:///tmp/deployer-e2e-no-engine.sock";
        var dashboard = Keep(Dashboard.Start(Nowhere));
        var window = await OpenAsync(dashboard);
        var app = await dashboard.AddAppAsync("web", "web:v1");

        await window.GoToAsync("/");
        await Expect(window.Page.GetByRole(AriaRole.Alert)).ToContainTextAsync(Nowhere);
        await window.ScreenshotAsync("engine-unreachable");
        await window.Home.DeployAsync(app);
        await window.Deployment.EndsAsync("Failed");

        await Expect(window.Deployment.Failure).ToContainTextAsync("Engine does not answer");
    }
}
