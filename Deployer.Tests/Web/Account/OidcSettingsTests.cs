using Deployer.Web.Features.Account;

namespace Deployer.Tests.Web.Account;

public sealed class OidcSettingsTests
{
    [Theory]
    [InlineData("login.example.com", "deployer", "openid", "Auth:Oidc:Authority")]
    [InlineData("ftp://login.example.com", "deployer", "openid", "Auth:Oidc:Authority")]
    [InlineData("https://user:secret@login.example.com", "deployer", "openid", "Auth:Oidc:Authority")]
    [InlineData("http://login.example.com", "deployer", "openid", "Only this machine")]
    [InlineData("http://127.0.0.1.example.com", "deployer", "openid", "Only this machine")]
    [InlineData("http://192.168.0.7", "deployer", "openid", "Only this machine")]
    [InlineData("https://login.example.com", " ", "openid", "Auth:Oidc:ClientId")]
    [InlineData("https://login.example.com", "deployer", "email", "Auth:Oidc:Scopes")]
    [InlineData(null, "deployer", "openid", "Auth:Oidc:Authority")]
    public void Validate_SettingThatCannotBeUsed_IsRefusedByItsKey(string? authority, string clientId, string scopes, string says)
    {
        var result = new OidcSettingsCheck().Validate(null, new OidcOptions { Authority = authority, ClientId = clientId, Scopes = scopes, ClientSecret = "s3cret-of-deployer" });

        Assert.Contains(says, Assert.Single(result.Failures!), StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret", result.FailureMessage, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("https://login.example.com/realms/team")]
    [InlineData("http://127.0.0.1:8081")]
    [InlineData("http://localhost:8081/")]
    [InlineData("http://[::1]:8081")]
    [InlineData(null)]
    public void Validate_SettingThatCanBeUsed_Passes(string? authority) =>
        Assert.True(new OidcSettingsCheck().Validate(null, new OidcOptions { Authority = authority, ClientId = authority is null ? null : "deployer" }).Succeeded);

    [Theory]
    [InlineData(0)]
    [InlineData(121)]
    public void Check_TimeoutOutOfRange_NamesTheKeyAndTheRange(int seconds) => Assert.Equal(
        $"Auth:Oidc:TimeoutSeconds is {seconds}; set it to 1 to 120.",
        new OidcSettingsCheck().Validate(
            null, new OidcOptions { Authority = "https://login.example.com", ClientId = "deployer", TimeoutSeconds = seconds }).FailureMessage);

    [Fact]
    public void Secret_FromAFile_IsItsText_AndAFileThatCannotBeReadIsRefused()
    {
        var file = Path.GetTempFileName();
        try
        {
            var options = new OidcOptions { Authority = "https://login.example.com", ClientId = "deployer", ClientSecretFile = file };
            Assert.Contains("Auth:Oidc:ClientSecretFile cannot be read", new OidcSettingsCheck().Validate(null, options).FailureMessage, StringComparison.Ordinal);

            File.WriteAllText(file, "from-a-file\n");
            Assert.True(new OidcSettingsCheck().Validate(null, options).Succeeded);
            Assert.Equal("from-a-file", options.ReadSecret());

            options.ClientSecret = "from-the-settings";
            Assert.Contains("keep one", new OidcSettingsCheck().Validate(null, options).FailureMessage, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(file);
        }

        Assert.Contains(
            "cannot be read",
            new OidcSettingsCheck().Validate(null, new OidcOptions { Authority = "https://login.example.com", ClientId = "deployer", ClientSecretFile = file }).FailureMessage,
            StringComparison.Ordinal);
    }
}
