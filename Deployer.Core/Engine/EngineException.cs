using System.Text.Json;
using Deployer.Core.Deployments;

namespace Deployer.Core.Engine;

/// <summary>The engine refused or failed.</summary>
/// <param name="code">What kind of failure it is.</param>
/// <param name="message">The engine's own words; holds no secrets.</param>
/// <param name="inner">What raised it.</param>
public class EngineException(FailureCode code, string message, Exception? inner) : Exception(message, inner)
{
    /// <summary>What kind of failure it is.</summary>
    public FailureCode Code { get; } = code;
}

/// <summary>The engine does not answer. The message names the endpoint, the reason and the remedy.</summary>
/// <param name="endpoint">Where it was sought.</param>
/// <param name="inner">What raised it.</param>
public sealed class EngineUnreachableException(string endpoint, Exception? inner)
    : EngineException(FailureCode.EngineUnreachable, Explain(endpoint, inner), inner)
{
    /// <summary>Where it was sought.</summary>
    public string Endpoint { get; } = endpoint;

    private static string Explain(string endpoint, Exception? inner)
    {
        var reason = inner switch
        {
            null => "",
            OperationCanceledException => " (no answer in time)",
            JsonException => " (what came is not JSON: the answer broke off, or something else listens there)",
            _ => $" ({inner.GetBaseException().Message.TrimEnd('.')})",
        };
        return $"The container engine at {endpoint} does not answer{reason}. Start it, or set Engine:Endpoint to one that runs.";
    }
}
