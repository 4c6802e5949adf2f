using Deployer.Web.Components.Sizes;

namespace Deployer.Tests.Web.Sizes;

public sealed class ByteTextTests
{
    [Theory]
    [InlineData(0, "0 B")]
    [InlineData(999, "999 B")]
    [InlineData(1000, "1 kB")]
    [InlineData(1_240, "1.2 kB")]
    [InlineData(99_960, "100 kB")]
    [InlineData(999_600, "1 MB")]
    [InlineData(1_250_000_000, "1.2 GB")]
    [InlineData(5_000_000_000_000_000, "5000 TB")]
    public void Of_Bytes_IsShort(long bytes, string text) => Assert.Equal(text, ByteText.Of(bytes));

    [Theory]
    [InlineData(1023, "1023 B")]
    [InlineData(1024, "1 KiB")]
    [InlineData(4_400_000, "4.2 MiB")]
    [InlineData(268_435_456, "256 MiB")]
    [InlineData(1_073_741_824, "1 GiB")]
    public void OfMemory_Bytes_IsCountedAsLimitsAre(long bytes, string text) => Assert.Equal(text, ByteText.OfMemory(bytes));
}
