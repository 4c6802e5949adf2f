using System.Runtime.CompilerServices;
using Deployer.Core.Access;
using Deployer.Core.Data;
using Deployer.Core.Deployments;
using Deployer.Core.Engine;
using Deployer.Core.Logs;
using Deployer.Web.Features.Console;
using NodaTime;

namespace Deployer.Web.Features.Apps;

/// <summary>What an app's container writes, as a console shows it: nobody keeps it, so the browser holds the lines.</summary>
internal sealed class ContainerLogSource(string app, Instant startedAt, RuntimeView view, TimeProvider time) : IConsoleSource
{
    private const int Tail = 1000;

    /// <inheritdoc/>
    public string Label => $"Output of {app}";

    /// <inheritdoc/>
    public bool OpenAtEnd => true;

    /// <inheritdoc/>
    public Instant StartedAt => startedAt;

    /// <inheritdoc/>
    public string Nothing => "The container has written nothing.";

    /// <inheritdoc/>
    public IStoredLog? Stored => null;

    /// <inheritdoc/>
    public async IAsyncEnumerable<LogGrowth> FollowAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var number = 0L;
        await using var batches = view.FollowOutput(Tail, cancellationToken).GetAsyncEnumerator(cancellationToken);
        yield return new LogGrowth(Status: null, 0, [], Complete: false, Trouble: null);
        while (true)
        {
            string? trouble = null;
            LogLine[]? lines = null;
            try
            {
                if (await batches.MoveNextAsync())
                {
                    var now = time.Now();
                    lines = [.. batches.Current.Select(line => new LogLine(++number, now, line.Stream, StepKind.Start, line.Text))];
                }
            }
            catch (EngineException exception)
            {
                trouble = exception.Message;
            }

            yield return new LogGrowth(Status: null, number, lines ?? [], Complete: lines is null, trouble);
            if (lines is null)
            {
                yield break;
            }
        }
    }
}
