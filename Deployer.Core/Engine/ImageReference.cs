namespace Deployer.Core.Engine;

/// <summary>An image reference by the distribution reference grammar, normalised as engines do.</summary>
/// <param name="Domain">Registry host, with port where given.</param>
/// <param name="Path">Repository path.</param>
/// <param name="Tag">Tag, or <see langword="null"/> when a digest alone is given.</param>
/// <param name="Digest">Digest, or <see langword="null"/>.</param>
public sealed record ImageReference(string Domain, string Path, string? Tag, string? Digest);
