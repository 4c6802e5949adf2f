using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Deployer.Core.Data;

/// <summary>Registers the database.</summary>
public static class DataRegistration
{
    /// <summary>Registers <see cref="IDbContextFactory{TContext}"/> of <see cref="DeployerDb"/> over SQLite, and its settings.</summary>
    public static IServiceCollection AddData(this IServiceCollection services)
    {
        services.AddOptions<DataOptions>()
            .BindConfiguration(DataOptions.Section)
            .ValidateDataAnnotations()
            .ValidateOnStart();
        services.AddOptions<DataOptions>().PostConfigure<IHostEnvironment>((options, environment) =>
            options.Directory = string.IsNullOrWhiteSpace(options.Directory) || options.Directory.Contains('\0', StringComparison.Ordinal)
                ? ""
                : Path.GetFullPath(options.Directory, environment.ContentRootPath));
        services.AddDbContextFactory<DeployerDb>((provider, db) =>
            db.UseDeployerSqlite(provider.GetRequiredService<IOptions<DataOptions>>().Value.Directory));
        services.AddSingleton<DatabaseStartup>();
        return services;
    }

    /// <summary>Points a context at the database file of a directory.</summary>
    public static DbContextOptionsBuilder UseDeployerSqlite(this DbContextOptionsBuilder db, string directory)
    {
        var connection = new SqliteConnectionStringBuilder
        {
            DataSource = Path.Combine(directory, DataOptions.DatabaseFile),
            ForeignKeys = true,
            DefaultTimeout = 30,
        };
        return db.UseSqlite(connection.ConnectionString).AddInterceptors(BusyWaiting.Instance);
    }
}
