using Microsoft.AspNetCore.Http.HttpResults;

namespace Deployer.Web.Features.Problems;

/// <summary>
/// Errors of the API as problem details (RFC 9457). Each has a <c>detail</c> with the remedy and a <c>code</c> for
/// programs; those about fields have <c>errors</c>: messages by field path, parameter or header.
/// </summary>
internal static class Problem
{
    /// <summary>400: fields, parameters or headers are wrong.</summary>
    public static ProblemHttpResult Invalid(IReadOnlyDictionary<string, string[]> errors) =>
        Of(StatusCodes.Status400BadRequest, "invalid_request", string.Join(' ', errors.Values.SelectMany(messages => messages).Take(3)), errors);

    /// <summary>400: one field, parameter or header is wrong.</summary>
    public static ProblemHttpResult Invalid(string field, string message) =>
        Invalid(new Dictionary<string, string[]>(StringComparer.Ordinal) { [field] = [message] });

    /// <summary>404: there is no such thing.</summary>
    public static ProblemHttpResult Unknown(string code, string detail) => Of(StatusCodes.Status404NotFound, code, detail);

    /// <summary>404: there is no such app.</summary>
    public static ProblemHttpResult UnknownApp(string name) =>
        Unknown("app_unknown", $"There is no app '{name}'; GET /api/apps lists them.");

    /// <summary>404: there is no such deployment.</summary>
    public static ProblemHttpResult UnknownDeployment(string id) =>
        Unknown("deployment_unknown", $"There is no deployment '{id}'; GET /api/deployments lists them.");

    /// <summary>409: the thing is not in a state for this.</summary>
    public static ProblemHttpResult Conflict(string code, string detail) => Of(StatusCodes.Status409Conflict, code, detail);

    /// <summary>Any problem.</summary>
    public static ProblemHttpResult Of(int status, string code, string detail) =>
        TypedResults.Problem(detail, statusCode: status, extensions: Extensions(code, errors: null));

    private static ProblemHttpResult Of(int status, string code, string detail, IReadOnlyDictionary<string, string[]> errors) =>
        TypedResults.Problem(detail, statusCode: status, extensions: Extensions(code, errors));

    private static Dictionary<string, object?> Extensions(string code, IReadOnlyDictionary<string, string[]>? errors)
    {
        var extensions = new Dictionary<string, object?>(StringComparer.Ordinal) { ["code"] = code };
        if (errors is not null)
        {
            extensions["errors"] = errors;
        }

        return extensions;
    }
}
