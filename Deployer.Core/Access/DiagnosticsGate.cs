using Deployer.Core.Diagnostics;

namespace Deployer.Core.Access;

/// <summary>A look at the installation, for admins of every environment: addresses and versions are in it.</summary>
public sealed class DiagnosticsGate
{
    private readonly Doctor _doctor;
    private readonly ICurrentActor _current;

    internal DiagnosticsGate(Doctor doctor, ICurrentActor current)
    {
        _doctor = doctor;
        _current = current;
    }

    /// <summary>Looks at every part.</summary>
    /// <exception cref="AccessDeniedException">The caller is no admin everywhere.</exception>
    public async Task<IReadOnlyList<Finding>> LookAsync(CancellationToken cancellationToken)
    {
        (await _current.GetAsync(cancellationToken)).DemandEverywhere(AccessRole.Admin);
        return await _doctor.LookAsync(cancellationToken);
    }
}
