using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design;

namespace Deployer.Core.Data;

/// <summary>Lets <c>dotnet ef migrations add</c> see the model without starting the app.</summary>
internal sealed class DesignTimeDb : IDesignTimeDbContextFactory<DeployerDb>
{
    public DeployerDb CreateDbContext(string[] args) =>
        new(new DbContextOptionsBuilder<DeployerDb>().UseSqlite("Data Source=:memory:").Options);
}
