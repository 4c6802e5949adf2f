namespace Deployer.Web.Features.Account;

/// <summary>The sign-in system of the organisation, where one is set.</summary>
/// <param name="DisplayName">What its button says; <see langword="null"/> where there is none.</param>
internal sealed record ExternalSignIn(string? DisplayName);
