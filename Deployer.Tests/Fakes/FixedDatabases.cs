using Deployer.Core.Data;
using Microsoft.EntityFrameworkCore;

namespace Deployer.Tests.Fakes;

/// <summary>Contexts with options of the test's own, such as an interceptor.</summary>
internal sealed class FixedDatabases(DbContextOptions<DeployerDb> options) : IDbContextFactory<DeployerDb>
{
    public DeployerDb CreateDbContext() => new(options);
}
