using System.Text;
using Deployer.Core.Logs;

namespace Deployer.Tests.Logs;

public sealed class LogGateTests
{
    [Theory]
    [InlineData("one\ntwo\n", new[] { "one", "two" })]
    [InlineData("one\r\ntwo\r\n", new[] { "one", "two" })]
    [InlineData("one\n\nthree\n", new[] { "one", "", "three" })]
    [InlineData("one\ntwo", new[] { "one", "two" })]
    [InlineData("10 %\r50 %\r100 %\n", new[] { "100 %" })]
    [InlineData("abc\rX\n", new[] { "Xbc" })]
    [InlineData("abc\r\r\n", new[] { "abc" })]
    [InlineData("abc\r\u001b[KX\n", new[] { "X" })]
    [InlineData("abc\u001b[2K\rX\n", new[] { "X" })]
    [InlineData("working |\b/\b-\n", new[] { "working -" })]
    [InlineData("a\tb\n", new[] { "a       b" })]
    [InlineData("12345678\tb\n", new[] { "12345678        b" })]
    [InlineData("nul\0bell\adel\u007f\n", new[] { "nul\u2400bell\u2407del\u2421" })]
    [InlineData("\u001b[1;31mred\u001b[0m plain\n", new[] { "\u001b[1;31mred\u001b[0m plain" })]
    [InlineData("\u001b[2J\u001b[?25lshown\u001b[10;20H\n", new[] { "shown" })]
    [InlineData("\u001b]0;title\atext\n", new[] { "text" })]
    [InlineData("\u001b]8;;http://x\u001b\\link\u001b]8;;\u001b\\\n", new[] { "link" })]
    [InlineData("\u001b]0;never ended\nnext\n", new[] { "", "next" })]
    [InlineData("\u001b[31\nnext\n", new[] { "", "next" })]
    [InlineData("end\u001b\nnext\n", new[] { "end\u241b", "next" })]
    [InlineData("\u001b[31mloading\r\u001b[32mdone!!!\n", new[] { "\u001b[31m\u001b[32mdone!!!\u001b[0m" })]
    [InlineData("\u0085\u009b\n", new[] { "\ufffd\ufffd" })]
    public void Take_Text_GivesLinesAsATerminalWouldShowThem(string text, string[] lines)
    {
        Assert.Equal(lines, Pass([], [Encoding.UTF8.GetBytes(text)]));
        Assert.Equal(lines, Pass([], Encoding.UTF8.GetBytes(text).Select(one => new[] { one }).ToArray()));
    }

    [Fact]
    public void Take_InvalidUtf8_IsReplaced()
    {
        Assert.Equal(["a\ufffdb", "\ufffd"], Pass([], [[(byte)'a', 0xff, (byte)'b', (byte)'\n', 0xe2, 0x82], [(byte)'\n']]));
    }

    [Fact]
    public void Take_CharacterSplitOverChunks_IsPutTogether()
    {
        var bytes = Encoding.UTF8.GetBytes("über 🚀\n");

        Assert.Equal(["über 🚀"], Pass([], bytes.Select(one => new[] { one }).ToArray()));
    }

    [Theory]
    [InlineData(16_384, 0)]
    [InlineData(16_385, 1)]
    [InlineData(5_000_000, 1)]
    public void Take_LongLine_IsCutAndSaysHowMuch(int length, int cut)
    {
        var line = Assert.Single(Pass([], [Encoding.UTF8.GetBytes(new string('x', length) + "\n")]));

        Assert.True(Encoding.UTF8.GetByteCount(line) <= LogGate.MaxLineBytes);
        var kept = line.TakeWhile(character => character == 'x').Count();
        Assert.Equal(cut == 0 ? "" : $"… [{length - kept} bytes cut]", line[kept..]);
    }

    [Fact]
    public void Take_LongLineOfWideCharacters_IsCutBetweenCharacters()
    {
        var line = Assert.Single(Pass([], [Encoding.UTF8.GetBytes(new string('x', 3) + string.Concat(Enumerable.Repeat("🚀", 10_000)) + "\n")]));

        Assert.True(Encoding.UTF8.GetByteCount(line) <= LogGate.MaxLineBytes);
        Assert.DoesNotContain('\ufffd', line);
    }

    [Fact]
    public void Take_SecretAcrossTheCut_ShowsNoPartOfIt()
    {
        const string Secret = "correct-horse-battery";
        for (var before = LogGate.MaxLineBytes - 40; before <= LogGate.MaxLineBytes; before++)
        {
            var text = new string('x', before) + Secret + new string('y', 100) + "\n";

            var line = Assert.Single(Pass([Secret], [Encoding.UTF8.GetBytes(text)]));

            Assert.DoesNotContain("corr", line, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void EndPartialLine_ThenItsLineEnd_GivesOneLine()
    {
        var gate = new LogGate([Redactor.None]);
        var lines = new List<string>();

        gate.Take("Password: ", lines);
        gate.EndPartialLine(lines);
        gate.Take("\r\nnext\n", lines);

        Assert.Equal(["Password: ", "next"], lines);
    }

    [Fact]
    public void EndPartialLine_InsideASecret_ShowsNeitherHalf()
    {
        var gate = new LogGate([Redactor.Create(["correct-horse"])]);
        var lines = new List<string>();

        gate.Take("password correct", lines);
        gate.EndPartialLine(lines);
        gate.Take("-horse ok\n", lines);

        Assert.Equal(["password ***", "*** ok"], lines);
    }

    [Theory]
    [InlineData("hunter22")]
    [InlineData("p@ss w+rd/=%")]
    [InlineData("ünïcødé→🔑")]
    [InlineData("say \"hi\"\\now")]
    public void Take_SecretInAnyForm_IsMasked(string secret)
    {
        var bytes = Encoding.UTF8.GetBytes(secret);
        string[] forms =
        [
            secret,
            Convert.ToBase64String(bytes),
            Convert.ToBase64String(bytes).TrimEnd('=').Replace('+', '-').Replace('/', '_'),
            Convert.ToBase64String([.. "user:"u8, .. bytes]),
            Convert.ToBase64String([.. "user1:"u8, .. bytes, .. "@host"u8]),
            Convert.ToBase64String([.. "user12:"u8, .. bytes, .. "\n"u8]),
            Uri.EscapeDataString(secret),
            System.Net.WebUtility.UrlEncode(secret),
            System.Web.HttpUtility.UrlEncode(secret),
            System.Text.Json.JsonSerializer.Serialize(secret)[1..^1],
        ];
        foreach (var form in forms)
        {
            var bare = Assert.Single(Pass([secret], [Encoding.UTF8.GetBytes($"before {form} after\n")]));
            Assert.Matches("^before [A-Za-z0-9+/=_-]{0,10}[*]{3}[A-Za-z0-9+/=_-]{0,10} after$", bare);

            var split = Assert.Single(Pass(
                [secret], Encoding.UTF8.GetBytes($"before {form} after\n").Select(one => new[] { one }).ToArray()));
            Assert.Equal(bare, split);
        }
    }

    [Fact]
    public void Take_Base64OfSecret_MasksEveryCharacterThatHoldsPartOfIt()
    {
        const string Secret = "correct-horse-battery";
        for (var before = 0; before < 9; before++)
        {
            for (var after = 0; after < 4; after++)
            {
                var value = new string('a', before) + Secret + new string('b', after);
                var line = Assert.Single(Pass([Secret], [Encoding.UTF8.GetBytes(Convert.ToBase64String(Encoding.UTF8.GetBytes(value)) + "\n")]));

                // What lies wholly before the secret may stay: at most one character for each six bits of it.
                Assert.Matches("^[A-Za-z0-9+/]*[*]{3}[A-Za-z0-9+/=]*$", line);
                Assert.True(line.IndexOf('*', StringComparison.Ordinal) <= before * 8 / 6, line);
                Assert.True(line.Length - line.LastIndexOf('*') - 1 <= (after * 8 / 6) + 3, line);
            }
        }
    }

    [Theory]
    [InlineData("\u001b[31mcorrect\u001b[0m-horse", "\u001b[31m***\u001b[0m")]
    [InlineData("c\u001b[1mo\u001b[2mrrect-horse", "***\u001b[1m\u001b[2m")]
    [InlineData("correct-horse\rXX", "XX*")]
    [InlineData("correct-horsecorrect-horse", "***")]
    [InlineData("correct\u001b[K-horse", "***")]
    public void Take_SecretWithTerminalTricks_IsMasked(string text, string shown)
    {
        Assert.Equal([shown], Pass(["correct-horse"], [Encoding.UTF8.GetBytes(text + "\n")]));
    }

    [Fact]
    public void Take_SecretOfSeveralLines_MasksEachLine()
    {
        const string Secret = "-----BEGIN KEY-----\nMIIEvQIBADANBgkq\nab\n-----END KEY-----\n";

        var lines = Pass([Secret], [Encoding.UTF8.GetBytes(Secret)]);

        Assert.Equal(["***", "***", "ab", "***"], lines);
    }

    [Fact]
    public void Take_SecretShorterThanFour_IsLeftAlone()
    {
        Assert.Equal(["a yes b"], Pass(["yes"], ["a yes b\n"u8.ToArray()]));
    }

    [Fact]
    public void Take_OverlappingSecrets_MasksTheirUnion()
    {
        Assert.Equal(["x***y"], Pass(["abcdef", "defghi", "cdef"], ["xabcdefghiy\n"u8.ToArray()]));
    }

    private static List<string> Pass(string[] secrets, byte[][] chunks)
    {
        var gate = new LogGate([Redactor.Create(secrets)]);
        var lines = new List<string>();
        foreach (var chunk in chunks)
        {
            gate.Take(chunk, lines);
        }

        gate.EndPartialLine(lines);
        return lines;
    }
}
