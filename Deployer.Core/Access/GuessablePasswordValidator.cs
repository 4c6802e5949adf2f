using Microsoft.AspNetCore.Identity;

namespace Deployer.Core.Access;

/// <summary>
/// Refuses passwords that are long enough and yet among the first that anybody would try (NIST SP 800-63B, 3.1.1.2:
/// context-specific words, repeated and sequential characters). Length is what else counts; there are no rules about
/// kinds of characters.
/// </summary>
internal sealed class GuessablePasswordValidator : IPasswordValidator<Person>
{
    /// <summary>Fewest characters.</summary>
    public const int MinimumLength = 12;

    /// <summary>Most characters, so that hashing cannot be made expensive.</summary>
    public const int MaximumLength = 256;

    /// <summary>What lists of leaked passwords are made of. What remains without them must still be long enough to count.</summary>
    private static readonly string[] Words =
    [
        "password", "passwort", "passw0rd", "p@ssword", "p@ssw0rd", "qwertyuiop", "qwerty", "asdfghjkl", "zxcvbnm", "1q2w3e4r",
        "1qaz2wsx", "letmein", "welcome", "iloveyou", "administrator", "admin", "changeme", "secret", "football", "baseball",
        "superman", "sunshine", "princess", "trustno1", "deployer", "deploy", "docker", "monkey", "dragon", "master", "login",
    ];

    public Task<IdentityResult> ValidateAsync(UserManager<Person> manager, Person user, string? password) =>
        Task.FromResult(Judge(user, password ?? ""));

    private static IdentityResult Judge(Person person, string password)
    {
        if (password.Length > MaximumLength)
        {
            return Refuse($"Password: use at most {MaximumLength} characters.");
        }

        var rest = password.ToLowerInvariant();
        foreach (var part in Words.Concat(Personal(person)))
        {
            rest = rest.Replace(part, "", StringComparison.Ordinal);
        }

        return CountUnlikeSteps(rest) < 5
            ? Refuse("Password: this one is easy to guess. Use several unrelated words, without your name, address or a row of keys.")
            : IdentityResult.Success;
    }

    private static IEnumerable<string> Personal(Person person) =>
        $"{person.Email} {person.DisplayName}".ToLowerInvariant()
            .Split([' ', '@', '.', '-', '_', '+'], StringSplitOptions.RemoveEmptyEntries)
            .Where(part => part.Length >= 4);

    /// <summary>Characters that neither repeat the one before nor follow it in order, as in 1234 and aaaa.</summary>
    private static int CountUnlikeSteps(string text) =>
        text.Where((character, index) => index == 0 || Math.Abs(character - text[index - 1]) > 1).Distinct().Count();

    private static IdentityResult Refuse(string description) =>
        IdentityResult.Failed(new IdentityError { Code = "PasswordGuessable", Description = description });
}
