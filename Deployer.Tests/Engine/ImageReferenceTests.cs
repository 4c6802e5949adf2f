using CsCheck;
using Deployer.Core.Engine;

namespace Deployer.Tests.Engine;

public sealed class ImageReferenceTests
{
    private const string Sha256 = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    [Theory]
    [InlineData("web", "docker.io", "library/web", null, null)]
    [InlineData("web:v1", "docker.io", "library/web", "v1", null)]
    [InlineData("web@" + Sha256, "docker.io", "library/web", null, Sha256)]
    [InlineData("web:v1@" + Sha256, "docker.io", "library/web", "v1", Sha256)]
    [InlineData("team/web", "docker.io", "team/web", null, null)]
    [InlineData("library/web", "docker.io", "library/web", null, null)]
    [InlineData("docker.io/web", "docker.io", "library/web", null, null)]
    [InlineData("index.docker.io/web:1", "docker.io", "library/web", "1", null)]
    [InlineData("docker.io/team/web", "docker.io", "team/web", null, null)]
    [InlineData("localhost/web", "localhost", "web", null, null)]
    [InlineData("localhost:5000/web:v1", "localhost:5000", "web", "v1", null)]
    [InlineData("example.test:5000", "docker.io", "library/example.test", "5000", null)]
    [InlineData("example.test:5000/a/b/c-d:v1", "example.test:5000", "a/b/c-d", "v1", null)]
    [InlineData("example.test/web@" + Sha256, "example.test", "web", null, Sha256)]
    [InlineData("192.0.2.7:5000/web", "192.0.2.7:5000", "web", null, null)]
    [InlineData("[2001:db8::1]:5000/web:v1", "[2001:db8::1]:5000", "web", "v1", null)]
    [InlineData("[2001:db8::1]/web", "[2001:db8::1]", "web", null, null)]
    [InlineData("Registry/web", "Registry", "web", null, null)]
    [InlineData("EXAMPLE.test/web", "EXAMPLE.test", "web", null, null)]
    [InlineData("xn--n3h.test/xn--n3h", "xn--n3h.test", "xn--n3h", null, null)]
    [InlineData("a__b/c.d/e_f/g---h", "docker.io", "a__b/c.d/e_f/g---h", null, null)]
    [InlineData("web:_Tag.with-ALL", "docker.io", "library/web", "_Tag.with-ALL", null)]
    [InlineData("1/2:3", "docker.io", "1/2", "3", null)]
    [InlineData("a-b.test/web", "a-b.test", "web", null, null)]
    public void TryParse_ValidReference_GivesItsParts(string text, string domain, string path, string? tag, string? digest)
    {
        Assert.True(ImageReference.TryParse(text, out var reference, out var error), error?.Message);
        Assert.Equal((domain, path, tag, digest), (reference.Domain, reference.Path, reference.Tag, reference.Digest));
    }

    [Theory]
    [InlineData("", 0, "")]
    [InlineData(":v1", 0, "")]
    [InlineData("@" + Sha256, 0, "")]
    [InlineData("/web", 0, "")]
    [InlineData("team//web", 5, "")]
    [InlineData("team/", 5, "")]
    [InlineData("example.test/", 13, "")]
    [InlineData("web:", 4, "")]
    [InlineData("Web", 0, "W")]
    [InlineData("team/weB:v1", 7, "B")]
    [InlineData("web shop", 3, " ")]
    [InlineData("web\n", 3, "\n")]
    [InlineData("wéb", 1, "é")]
    [InlineData("we$b", 2, "$")]
    [InlineData("-web", 0, "-")]
    [InlineData("web-", 3, "-")]
    [InlineData("we..b", 2, "..")]
    [InlineData("we___b", 2, "___")]
    [InlineData("we._b", 2, "._")]
    [InlineData("we-.b", 2, "-.")]
    [InlineData(".web", 0, ".")]
    [InlineData("_team/web", 0, "_")]
    [InlineData("web-B", 4, "B")]
    [InlineData("web:-v1", 4, "-")]
    [InlineData("web:v1:v2", 6, ":")]
    [InlineData("web:v1+2", 6, "+")]
    [InlineData("web@sha256", 4, "sha256")]
    [InlineData("web@md5:0123456789abcdef0123456789abcdef", 4, "md5:0123456789abcdef0123456789abcdef")]
    [InlineData("web@sha256:0123", 11, "0123")]
    [InlineData("web@sha256:0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef", 21, "A")]
    [InlineData("web@" + Sha256 + "@" + Sha256, 75, "@")]
    [InlineData("https://example.test/web", 0, "https://")]
    [InlineData("-example.test/web", 0, "-example")]
    [InlineData("example..test/web", 8, "")]
    [InlineData("ex_ample.test/web", 0, "ex_ample")]
    [InlineData("example.test:/web", 13, "")]
    [InlineData("example.test:port/web", 13, "port")]
    [InlineData("[2001:db8::1/web", 0, "[2001:db8::1")]
    [InlineData("[]/web", 0, "[")]
    [InlineData("[2001:db8::g]:5000/web", 0, "[2001:db8::g]:5000")]
    [InlineData("[2001:db8::1]x/web", 14, "")]
    [InlineData("2001:db8::1/web", 5, "db8::1")]
    [InlineData("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", 0, "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef")]
    public void TryParse_InvalidReference_ShowsTheBadPartAndItsPlace(string text, int position, string badPart)
    {
        Assert.False(ImageReference.TryParse(text, out _, out var error));
        Assert.Equal((position, badPart), (error.Position, error.BadPart));
        Assert.EndsWith(".", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void TryParse_Null_SaysThatItIsMissing()
    {
        Assert.False(ImageReference.TryParse(null, out _, out var error));
        Assert.Equal("The image is missing; write a repository with a tag, e.g. web:v1.", error.Message);
    }

    [Fact]
    public void TryParse_UpperCase_NamesLetterPlaceAndRemedy()
    {
        Assert.False(ImageReference.TryParse("team/WebShop:v1", out _, out var error));
        Assert.Equal("'W' at character 6 is upper-case, but a repository name is lower-case; write 'webshop'.", error.Message);
    }

    [Theory]
    [InlineData(255, true)]
    [InlineData(256, false)]
    public void TryParse_LongPath_IsTakenUpTo255Characters(int length, bool valid) =>
        Assert.Equal(valid, ImageReference.TryParse("example.test/" + new string('a', length), out _, out _));

    [Theory]
    [InlineData(128, true)]
    [InlineData(129, false)]
    public void TryParse_LongTag_IsTakenUpTo128Characters(int length, bool valid) =>
        Assert.Equal(valid, ImageReference.TryParse("web:" + new string('t', length), out _, out _));

    [Fact]
    public void TryParse_LongInput_ShowsAShortPartOfIt()
    {
        Assert.False(ImageReference.TryParse("web@" + new string('x', 100_000), out _, out var error));
        Assert.True(error.Message.Length < 300, error.Message);
    }

    [Theory]
    [InlineData("web", "docker.io/library/web:latest")]
    [InlineData("web:v1", "docker.io/library/web:v1")]
    [InlineData("example.test/web:v1@" + Sha256, "example.test/web@" + Sha256)]
    public void PullName_AsksForTheDigestElseTheTag(string text, string expected) =>
        Assert.Equal(expected, ImageReference.Parse(text).PullName);

    [Theory]
    [InlineData("web", "docker.io/library/web:latest")]
    [InlineData("web:v1", "docker.io/library/web:v1")]
    [InlineData("web@" + Sha256, "docker.io/library/web@" + Sha256)]
    public void WithDefaultTag_AddsLatestOnlyWhereNothingIsFixed(string text, string expected) =>
        Assert.Equal(expected, ImageReference.Parse(text).WithDefaultTag().ToString());

    [Fact]
    public void WithDigest_KeepsTheRepositoryAlone() =>
        Assert.Equal("localhost:5000/team/web@" + Sha256, ImageReference.Parse("localhost:5000/team/web:v1").WithDigest(Sha256).ToString());

    [Fact]
    public void Parse_Invalid_RaisesTheMessage() =>
        Assert.Contains("upper-case", Assert.Throws<FormatException>(() => ImageReference.Parse("Web")).Message, StringComparison.Ordinal);

    [Fact]
    public void TryParse_WhateverTheGrammarMakes_ReadsItBack()
    {
        var alnum = Gen.Char["abcxyz0189"].Array[1, 5].Select(c => new string(c));
        var separator = Gen.OneOfConst(".", "_", "__", "-", "---");
        var component = Gen.Select(alnum, Gen.Select(separator, alnum).Select((s, a) => s + a).Array[0, 3], (first, rest) => first + string.Concat(rest));
        var path = component.Array[1, 4].Select(parts => string.Join('/', parts));
        var domain = Gen.OneOfConst("localhost", "localhost:5000", "a.test", "A-b.test:1", "[2001:db8::1]", "[::1]:80", "192.0.2.1:5000");
        var tag = Gen.Char["aZ09_"].Select(Gen.Char["aZ09_.-"].Array[0, 20], (first, rest) => first + new string(rest));
        Gen.Select(domain, path, tag, Gen.Bool, Gen.Bool).Sample((host, repository, version, hasTag, hasDigest) =>
        {
            var text = $"{host}/{repository}{(hasTag ? ":" + version : "")}{(hasDigest ? "@" + Sha256 : "")}";
            var reference = ImageReference.Parse(text);
            return reference.ToString() == text && ImageReference.Parse(reference.ShortName) == reference
                && reference.Domain == host && reference.Path == repository;
        });
    }

    [Fact]
    public void TryParse_AnyText_PointsIntoTheText()
    {
        Gen.String[Gen.Char["abAB01._-/:@[] \n$é\ud83d"], 0, 40].Sample(text =>
            ImageReference.TryParse(text, out var reference, out var error)
                ? ImageReference.Parse(reference.ToString()) == reference
                : error.Position >= 0 && error.Position <= text.Length
                    && (error.BadPart.Length == 0 || text.IndexOf(error.BadPart, error.Position, StringComparison.Ordinal) == error.Position));
    }
}
