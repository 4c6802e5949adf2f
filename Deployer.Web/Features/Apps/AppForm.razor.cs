using System.Text.RegularExpressions;
using Deployer.Core.Apps;
using Microsoft.AspNetCore.Components;

namespace Deployer.Web.Features.Apps;

/// <summary>
/// The form of an app. Checks with the same rules as the API; a field shows its errors once it was left, and every
/// field after the first try to save.
/// </summary>
public sealed partial class AppForm
{
    private readonly HashSet<string> _touched = new(StringComparer.Ordinal);
    private IReadOnlyDictionary<string, string[]> _errors = new Dictionary<string, string[]>(StringComparer.Ordinal);
    private string? _takenName;
    private bool _tried;
    private bool _busy;
    private bool _told;

    /// <summary>What is edited.</summary>
    [Parameter, EditorRequired]
    public AppFormModel Model { get; set; } = default!;

    /// <summary>Whether the app is a new one: its name can still be chosen.</summary>
    [Parameter, EditorRequired]
    public bool IsNew { get; set; }

    /// <summary>Where Cancel leads.</summary>
    [Parameter, EditorRequired]
    public string CancelHref { get; set; } = "/";

    /// <summary>Saves a draft that the rules allow; what it returns decides what the form shows next.</summary>
    [Parameter, EditorRequired]
    public Func<AppDraft, Task<AppChange>> Save { get; set; } = default!;

    /// <summary>Raised when what is written begins to differ from what is saved, and when it no longer does.</summary>
    [Parameter]
    public EventCallback<bool> UnsavedChanged { get; set; }

    private IReadOnlyList<string> OtherErrors
    {
        get
        {
            if (!_tried || _errors.Count == 0)
            {
                return [];
            }

            var unseen = _errors.Where(error => !HasField(error.Key)).SelectMany(error => error.Value).ToArray();
            return unseen.Length > 0 ? unseen : ["Some fields need another look."];
        }
    }

    private static string RestartText(RestartMode mode) => mode switch
    {
        RestartMode.No => "Leave it",
        RestartMode.OnFailure => "Restart after a failure",
        RestartMode.Always => "Always restart",
        _ => "Restart unless stopped",
    };

    // Lists of texts are edited as one field: an error of any entry belongs to the whole.
    [GeneratedRegex(@"^(?<list>command|hosts)\[\d+\]$", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 100)]
    private static partial Regex ListEntry { get; }

    [GeneratedRegex(@"^(name|image|environment|command|hosts|memory_mb|cpus|stop_grace_seconds|env(\..*)?|(ports|volumes)\[\d+\]\.\w+|health\.\w+)$", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 100)]
    private static partial Regex ShownField { get; }

    private static bool HasField(string path) => ShownField.IsMatch(path);

    private Task Set(Action change)
    {
        change();
        Check();
        if (Model.IsChanged == _told)
        {
            return Task.CompletedTask;
        }

        _told = Model.IsChanged;
        return UnsavedChanged.InvokeAsync(_told);
    }

    private void Touch(string path)
    {
        _touched.Add(path);
        Check();
    }

    private void Check()
    {
        var draft = Model.ToDraft();
        var found = (IsNew ? AppValidation.Check(draft) : AppValidation.CheckChange(draft.Name ?? "", draft)).Errors;
        var errors = found
            .GroupBy(error => ListEntry.Replace(error.Key, "${list}"), StringComparer.Ordinal)
            .ToDictionary(group => group.Key, group => group.SelectMany(error => error.Value).ToArray(), StringComparer.Ordinal);
        if (Model.RepeatedVariables() is [_, ..] repeated)
        {
            errors["env"] = [$"{string.Join(", ", repeated)} stands here more than once; keep one."];
        }

        if (_takenName is not null && Model.Name.Trim() == _takenName)
        {
            errors["name"] = [$"There is already an app “{_takenName}”; choose another name."];
        }

        _errors = errors;
    }

    private bool Has(string path) => (_tried || _touched.Contains(path)) && _errors.ContainsKey(path);

    private string? Text(string path) => Has(path) ? string.Join(" ", _errors[path]) : null;

    private async Task SubmitAsync()
    {
        _tried = true;
        Check();
        if (_errors.Count > 0 || _busy)
        {
            return;
        }

        _busy = true;
        try
        {
            switch (await Save(Model.ToDraft()))
            {
                case AppChange.Invalid invalid:
                    _errors = invalid.Errors;
                    break;
                case AppChange.NameTaken taken:
                    _takenName = taken.Name;
                    Check();
                    break;
            }
        }
        finally
        {
            _busy = false;
        }
    }
}
