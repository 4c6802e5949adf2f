namespace Deployer.Tests.Runner.Crashes;

/// <summary>
/// Whatever hits a deployment, and wherever it is then: it reaches a true final status, exactly one container serves the app,
/// the new one if it succeeded and else the old one, nothing is left over, the log is whole, and the next deployment works.
/// </summary>
[Collection(nameof(KillMatrix))]
public sealed class KillMatrixTests(KillMatrix matrix)
{
    public static TheoryData<Blow, string> Cells() => new(
        from blow in Enum.GetValues<Blow>()
        from point in KillPoint.All
        select new TheoryDataRow<Blow, string>(blow, point.Name) { TestDisplayName = $"{point.Step}/{blow}: {point.Name}" });

    [Theory]
    [MemberData(nameof(Cells))]
    public void Hit_AtAnyStep_EndsTrueWithOneServing(Blow blow, string point)
    {
        var fault = matrix.FaultOf(blow, point);
        Assert.True(fault.Length == 0, fault);
    }
}

/// <summary>The matrix is driven once, and alone: it keeps an engine and both cores busy, and some of what it sees has a limit.</summary>
[CollectionDefinition(nameof(KillMatrix), DisableParallelization = true)]
public sealed class KillMatrixOnce : ICollectionFixture<KillMatrix>;
