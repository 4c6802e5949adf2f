using Deployer.Core.Deployments;

namespace Deployer.Core.Logs;

/// <summary>A line, or only a wish to be told when all before it is durable (no text), on its way to the writer.</summary>
internal readonly record struct QueuedLine(
    LogProducer Producer, LogStream Stream, StepKind Step, string? Text, TaskCompletionSource? Durable)
{
    /// <summary>What the line weighs against the queue's bound, in bytes of memory.</summary>
    public int Weight => Text is null ? 0 : (2 * Text.Length) + 64;
}

/// <summary>
/// What waits for the writer: lines, bounded in number and bytes, and chores, which come after lines. A producer that
/// finds the queue full waits its turn; nothing is ever dropped.
/// </summary>
internal sealed class LogQueue(int maxLines, int maxWeight)
{
    private readonly Lock _gate = new();
    private readonly Queue<QueuedLine> _lines = new();
    private readonly Queue<Waiter> _waiters = new();
    private readonly Queue<Action> _chores = new();
    private TaskCompletionSource? _writerWaits;
    private long _weight;
    private bool _completed;

    /// <summary>Adds a line; waits while the queue is full. False when the queue was completed.</summary>
    public ValueTask<bool> AddAsync(QueuedLine line, CancellationToken cancellationToken)
    {
        Waiter waiter;
        lock (_gate)
        {
            if (_completed)
            {
                return ValueTask.FromResult(false);
            }

            // A mark alone has no weight and must not wait: its producer's lines are in the queue already.
            if (line.Text is null || (_waiters.Count == 0 && HasRoom))
            {
                Admit(line);
                return ValueTask.FromResult(true);
            }

            waiter = new Waiter(line);
            _waiters.Enqueue(waiter);
        }

        return waiter.WaitAsync(cancellationToken);
    }

    /// <summary>Adds something to do in the writer once no line waits. False when the queue was completed.</summary>
    public bool AddChore(Action chore)
    {
        lock (_gate)
        {
            if (_completed)
            {
                return false;
            }

            _chores.Enqueue(chore);
            WakeWriter();
            return true;
        }
    }

    /// <summary>Takes no more; what is in stays to be taken.</summary>
    public void Complete()
    {
        lock (_gate)
        {
            _completed = true;
            while (_waiters.TryDequeue(out var waiter))
            {
                waiter.TryFinish(admitted: false);
            }

            WakeWriter();
        }
    }

    /// <summary>Waits until something can be taken. False when the queue is completed and empty.</summary>
    public async ValueTask<bool> WaitAsync()
    {
        while (true)
        {
            TaskCompletionSource wait;
            lock (_gate)
            {
                if (_lines.Count > 0 || _chores.Count > 0)
                {
                    return true;
                }

                if (_completed)
                {
                    return false;
                }

                wait = _writerWaits = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }

            await wait.Task;
        }
    }

    /// <summary>Moves what waits into a batch, up to its bounds, and lets waiting producers in.</summary>
    /// <returns>A chore to do after the batch, if one waits.</returns>
    public Action? Take(List<QueuedLine> batch, int maxBatchLines, int maxBatchWeight)
    {
        lock (_gate)
        {
            var weight = 0;
            while (batch.Count < maxBatchLines && weight < maxBatchWeight && _lines.TryDequeue(out var line))
            {
                batch.Add(line);
                weight += line.Weight;
            }

            _weight -= weight;
            while (HasRoom && _waiters.TryDequeue(out var waiter))
            {
                if (waiter.TryFinish(admitted: true))
                {
                    Admit(waiter.Line);
                }
            }

            return _chores.TryDequeue(out var chore) ? chore : null;
        }
    }

    private bool HasRoom => _lines.Count < maxLines && _weight < maxWeight;

    private void Admit(in QueuedLine line)
    {
        _lines.Enqueue(line);
        _weight += line.Weight;
        WakeWriter();
    }

    private void WakeWriter()
    {
        _writerWaits?.TrySetResult();
        _writerWaits = null;
    }

    private sealed class Waiter(QueuedLine line)
    {
        private readonly TaskCompletionSource<bool> _turn = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public QueuedLine Line => line;

        public bool TryFinish(bool admitted) => _turn.TrySetResult(admitted);

        public async ValueTask<bool> WaitAsync(CancellationToken cancellationToken)
        {
            await using var registration = cancellationToken.UnsafeRegister(
                static (state, token) => ((TaskCompletionSource<bool>)state!).TrySetCanceled(token), _turn);
            return await _turn.Task;
        }
    }
}
