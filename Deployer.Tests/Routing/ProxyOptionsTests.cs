using System.Net;
using Deployer.Core.Routing;

namespace Deployer.Tests.Routing;

public sealed class ProxyOptionsTests
{
    [Theory]
    [InlineData("http://127.0.0.1:8090", "127.0.0.1", 8090, false)]
    [InlineData("http://*:80", null, 80, false)]
    [InlineData("h2c://127.0.0.1:8091", "127.0.0.1", 8091, true)]
    [InlineData("h2c://[::1]:8091/", "::1", 8091, true)]
    [InlineData("HTTP://localhost:0", "127.0.0.1", 0, false)]
    public void TryParse_Address_IsRead(string url, string? ip, int port, bool isHttp2)
    {
        Assert.True(ListenAddress.TryParse(url, out var address));
        Assert.Equal(new ListenAddress(ip is null ? null : IPAddress.Parse(ip), port, isHttp2), address);
    }

    [Theory]
    [InlineData("https://127.0.0.1:8090")]
    [InlineData("http://127.0.0.1")]
    [InlineData("http://127.0.0.1:99999")]
    [InlineData("http://apps.example.com:80")]
    [InlineData("8090")]
    public void Validate_AddressUnusable_NamesKeyValueAndRemedy(string url)
    {
        var message = Validate(new ProxyOptions { Urls = $"http://127.0.0.1:8090;{url}" });

        Assert.Contains("Proxy:Urls", message, StringComparison.Ordinal);
        Assert.Contains($"'{url}'", message, StringComparison.Ordinal);
        Assert.Contains("http://", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Proxy:Urls")]
    [InlineData("Proxy:IdleSeconds")]
    [InlineData("Proxy:DrainSeconds")]
    [InlineData("Proxy:Reach")]
    [InlineData("Proxy:TrustedProxies")]
    public void Validate_EverythingWrong_NamesEachKey(string key) => Assert.Contains(
        key,
        Validate(new ProxyOptions { Urls = " ", IdleSeconds = 0, DrainSeconds = -1, Reach = (ContainerReach)9, TrustedProxies = ["nonsense"] }),
        StringComparison.Ordinal);

    [Fact]
    public void TrustedNetworks_LeftOut_AreThisMachine() =>
        Assert.Equal([IPNetwork.Parse("127.0.0.0/8"), IPNetwork.Parse("::1/128")], new ProxyOptions().TrustedNetworks);

    [Fact]
    public void TrustedNetworks_EmptyEntry_TrustsNobody() =>
        Assert.Empty(new ProxyOptions { TrustedProxies = [string.Empty] }.TrustedNetworks);

    private static string Validate(ProxyOptions options) =>
        string.Join('\n', new ProxyOptionsValidation().Validate(name: null, options).Failures ?? []);
}
