namespace Deployer.Web.Features.Account;

/// <summary>A passkey as its person sees it.</summary>
/// <param name="Id">Credential id in base64url.</param>
/// <param name="Name">What the person calls it.</param>
/// <param name="CreatedAt">When it was added.</param>
public sealed record PasskeyRow(string Id, string Name, DateTimeOffset CreatedAt);
