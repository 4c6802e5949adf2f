using Deployer.Core.Data;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;

namespace Deployer.Tests.Web;

/// <summary>A database that fails on request, as a locked or missing file does.</summary>
internal sealed class FailingDatabases(IDbContextFactory<DeployerDb> databases) : IDbContextFactory<DeployerDb>
{
    /// <summary>Whether every use fails now.</summary>
    public bool IsDown { get; set; }

    public DeployerDb CreateDbContext() =>
        IsDown ? throw new SqliteException("database is locked", 5) : databases.CreateDbContext();

    /// <summary>Makes every read of a log fail, in whatever store, until <see cref="MendLogsAsync"/>.</summary>
    public Task BreakLogsAsync() => RunAsync("ALTER TABLE deployment_logs RENAME TO deployment_logs_away");

    /// <summary>Lets logs be read again; nothing of them was lost.</summary>
    public Task MendLogsAsync() => RunAsync("ALTER TABLE deployment_logs_away RENAME TO deployment_logs");

    private async Task RunAsync(string command)
    {
        await using var db = databases.CreateDbContext();
        await db.Database.ExecuteSqlRawAsync(command, TestContext.Current.CancellationToken);
    }
}
