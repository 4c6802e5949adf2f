using Deployer.Core.Data;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Deployer.Core.Secrets;

/// <summary>Registers the secrets.</summary>
public static class SecretsRegistration
{
    /// <summary>Directory of the keys inside <see cref="DataOptions.Directory"/>.</summary>
    public const string KeyDirectory = "keys";

    /// <summary>
    /// Registers <see cref="SecretBook"/>, <see cref="SecretVault"/> and the application's Data Protection, whose keys are
    /// kept in the data directory.
    /// </summary>
    public static IServiceCollection AddSecrets(this IServiceCollection services)
    {
        services.AddDataProtection().SetApplicationName("Deployer");
        services.AddOptions<KeyManagementOptions>().Configure<IOptions<DataOptions>>((keys, data) =>
            keys.XmlRepository = new OwnerOnlyKeys(Path.Combine(data.Value.Directory, KeyDirectory)));
        services.TryAddSingleton<SecretVault>();
        services.TryAddSingleton<SecretBook>();
        return services;
    }
}
