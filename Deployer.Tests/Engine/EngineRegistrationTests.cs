using Deployer.Core.Engine;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Deployer.Tests.Engine;

public sealed class EngineRegistrationTests
{
    [Theory]
    [InlineData("unix:///one.sock", "unix:///two.sock", "unix:///one.sock")]
    [InlineData("", "tcp://127.0.0.1:2375", "tcp://127.0.0.1:2375")]
    [InlineData(null, null, "unix:///var/run/docker.sock")]
    [InlineData(" ", " ", "unix:///var/run/docker.sock")]
    public void AddEngine_SettingThenVariableThenDefault_GivesTheEndpoint(string? setting, string? host, string endpoint)
    {
        using var provider = Provider(setting, host);

        Assert.Equal(endpoint, provider.GetRequiredService<IContainerEngine>().Endpoint);
    }

    [Theory]
    [InlineData("ssh://somewhere")]
    [InlineData("/var/run/docker.sock")]
    [InlineData("engine:2375")]
    public void AddEngine_AddressOfNoEngine_NamesKeyValueAndExample(string setting)
    {
        using var provider = Provider(setting, host: null);

        var failure = Assert.Throws<OptionsValidationException>(provider.GetRequiredService<IContainerEngine>);

        Assert.Contains("Engine:Endpoint", failure.Message, StringComparison.Ordinal);
        Assert.Contains(setting, failure.Message, StringComparison.Ordinal);
        Assert.Contains("unix:///var/run/docker.sock", failure.Message, StringComparison.Ordinal);
    }

    private static ServiceProvider Provider(string? setting, string? host)
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(new Dictionary<string, string?>(StringComparer.Ordinal) { ["Engine:Endpoint"] = setting, ["DOCKER_HOST"] = host })
            .Build();
        return new ServiceCollection()
            .AddSingleton<IConfiguration>(configuration)
            .AddSingleton(TimeProvider.System)
            .AddEngine()
            .BuildServiceProvider();
    }
}
