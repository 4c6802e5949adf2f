using Deployer.Core.Deployments;
using Deployer.Core.Engine;

namespace Deployer.Core.Access;

/// <summary>A look at an app's container while it runs.</summary>
/// <param name="use">Watches what a container uses.</param>
/// <param name="outputs">Follows what a container writes.</param>
/// <param name="app">The app.</param>
public sealed class RuntimeView(ContainerUse use, ContainerOutputs outputs, string app)
{
    /// <summary>Watches what a container of the app uses.</summary>
    public ContainerWatch Watch(string containerId) => use.Watch(containerId);

    /// <inheritdoc cref="ContainerOutputs.FollowAsync"/>
    public IAsyncEnumerable<IReadOnlyList<OutputLine>> FollowOutput(int tail, CancellationToken cancellationToken) =>
        outputs.FollowAsync(app, tail, cancellationToken);
}

/// <summary>What an app's container uses and writes, for whoever may see the app.</summary>
public sealed class RuntimeGate(ContainerUse use, ContainerOutputs outputs, AccessSubjects subjects, ICurrentActor current)
{
    /// <summary>Opens a look at an app's container; <see langword="null"/> when there is no such app that the caller may see.</summary>
    public async Task<RuntimeView?> OpenAsync(string app, CancellationToken cancellationToken)
    {
        var actor = await current.GetAsync(cancellationToken);
        return await subjects.FindAppAsync(app, cancellationToken) is { } subject && actor.May(AccessRole.Viewer, subject.Environment, subject.App)
            ? new RuntimeView(use, outputs, subject.App)
            : null;
    }
}
