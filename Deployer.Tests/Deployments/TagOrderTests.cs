using Deployer.Core.Deployments;

namespace Deployer.Tests.Deployments;

public sealed class TagOrderTests
{
    [Fact]
    public void NewestFirst_Versions_ComparesNumbersAsNumbersAndPutsLatestFirst()
    {
        string[] tags = ["v9", "v10", "1.2.0", "latest", "1.10.0", "v1", "1.2", "1.02.1", "main"];

        Assert.Equal(["latest", "v10", "v9", "v1", "main", "1.10.0", "1.02.1", "1.2.0", "1.2"], tags.Order(TagOrder.NewestFirst));
    }
}
