using Deployer.Core;
using Deployer.Web;
using Deployer.Web.Startup;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Deployer.Tests.Proxy;

public sealed class ProcessRolesTests
{
    [Theory]
    [InlineData(null, ProcessRoles.All)]
    [InlineData("", ProcessRoles.All)]
    [InlineData("proxy", ProcessRoles.Proxy)]
    [InlineData("Web, runner", ProcessRoles.Web | ProcessRoles.Runner)]
    [InlineData("web,runner,proxy", ProcessRoles.All)]
    public void ReadRoles_Known_AreRead(string? text, ProcessRoles roles) => Assert.Equal(roles, Configuration(text).ReadRoles());

    [Theory]
    [InlineData("proxi", "'proxi' is no role")]
    [InlineData("web,7", "'7' is no role")]
    [InlineData(",", "names no role")]
    public void ReadRoles_Unknown_NamesKeyValueAndRemedy(string text, string why)
    {
        var refusal = Assert.Throws<SettingException>(() => Configuration(text).ReadRoles());

        Assert.Contains($"Roles is '{text}'", refusal.Message, StringComparison.Ordinal);
        Assert.Contains(why, refusal.Message, StringComparison.Ordinal);
        Assert.Contains("--roles web,runner", refusal.Message, StringComparison.Ordinal);
    }

    /// <summary>Whatever a process is not, it must not need.</summary>
    [Theory]
    [InlineData("web")]
    [InlineData("runner")]
    [InlineData("proxy")]
    [InlineData("web,runner")]
    public async Task AddDeployer_RolesAlone_EveryServiceCanBeMade(string roles)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions
        {
            Args = ["--roles", roles],
            EnvironmentName = Environments.Development,
            ContentRootPath = AppContext.BaseDirectory,
        });
        builder.AddDeployer();

        // Development validates every registration while it builds.
        await using var app = builder.Build();

        var listens = app.Services.GetRequiredService<IServer>().GetType().Namespace!.Contains("Kestrel", StringComparison.Ordinal);
        Assert.Equal(roles.Contains("web", StringComparison.Ordinal), listens);
    }

    private static IConfigurationRoot Configuration(string? roles) => new ConfigurationBuilder()
        .AddInMemoryCollection(new Dictionary<string, string?>(StringComparer.Ordinal) { ["Roles"] = roles })
        .Build();
}
