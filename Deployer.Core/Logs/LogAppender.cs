using Deployer.Core.Deployments;
using Deployer.Core.Engine;

namespace Deployer.Core.Logs;

/// <summary>
/// A producer's way into the log of one deployment. What it takes passes the gate (line splitting, sanitising,
/// redaction) and is stored in the order in which it was given. Several may be open for one deployment. Safe to use from
/// several threads; from one alone the order is certain.
/// </summary>
public sealed class LogAppender : IAsyncDisposable
{
    private readonly LogWriter _writer;
    private readonly Action<LogAppender> _closed;
    private readonly LogProducer _producer;
    private readonly LogGate _text;
    private readonly LogGate[] _output;
    private readonly StepKind[] _outputStep = new StepKind[3];
    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly List<string> _split = [];
    private readonly Queue<QueuedLine> _pending = new();
    private bool _disposed;
    private bool _faultRaised;

    internal LogAppender(LogWriter writer, long deploymentId, IReadOnlyList<Redactor> redactors, Action<LogAppender> closed)
    {
        _writer = writer;
        _closed = closed;
        _producer = new LogProducer(deploymentId);
        _text = new LogGate(redactors);
        _output = [new LogGate(redactors), new LogGate(redactors), new LogGate(redactors)];
        Redactors = redactors;
    }

    internal long DeploymentId => _producer.DeploymentId;

    internal IReadOnlyList<Redactor> Redactors { get; }

    /// <summary>Takes text: one line, or several where it holds line ends. Waits while the store is behind.</summary>
    /// <exception cref="LogStoreException">Lines of this appender could not be stored.</exception>
    /// <exception cref="OperationCanceledException">
    /// The wait was cancelled. The text has been taken all the same and goes on with the next call.
    /// </exception>
    public async ValueTask AppendAsync(LogStream stream, StepKind step, string text, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            _text.Take(text, _split);
            _text.EndPartialLine(_split);
            if (_split.Count == 0)
            {
                _split.Add("");
            }

            Queue(stream, step);
            await SendAsync(cancellationToken);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>
    /// Takes a piece of engine output as it came. A last line without its end waits for the next piece or a flush.
    /// </summary>
    /// <exception cref="LogStoreException">Lines of this appender could not be stored.</exception>
    /// <exception cref="OperationCanceledException">
    /// The wait was cancelled. The piece has been taken all the same and goes on with the next call.
    /// </exception>
    public async ValueTask AppendAsync(StepKind step, OutputChunk chunk, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            var gate = _output[(int)chunk.Stream];

            // A line belongs to the step in which it began.
            var first = gate.HasPartialLine ? _outputStep[(int)chunk.Stream] : step;
            _outputStep[(int)chunk.Stream] = first;
            gate.Take(chunk.Bytes.Span, _split);
            if (_split.Count > 0)
            {
                Queue(chunk.Stream, first, step);
                _outputStep[(int)chunk.Stream] = step;
                await SendAsync(cancellationToken);
            }
            else
            {
                ThrowIfFailed();
            }
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Completes when everything taken so far is durable, a last line without its end included.</summary>
    /// <exception cref="LogStoreException">Lines of this appender could not be stored.</exception>
    public async Task FlushAsync(CancellationToken cancellationToken)
    {
        Task durable;
        await _turn.WaitAsync(cancellationToken);
        try
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            durable = await StartFlushAsync(cancellationToken);
        }
        finally
        {
            _turn.Release();
        }

        await AwaitDurableAsync(durable, cancellationToken);
    }

    /// <summary>Flushes and closes.</summary>
    /// <exception cref="LogStoreException">
    /// Lines of this appender could not be stored, and no earlier call has said so.
    /// </exception>
    public async ValueTask DisposeAsync()
    {
        Task durable;
        await _turn.WaitAsync(CancellationToken.None);
        try
        {
            if (_disposed)
            {
                return;
            }

            _disposed = true;
            if (_producer.Fault is not null && _faultRaised)
            {
                return;
            }

            durable = await StartFlushAsync(CancellationToken.None);
        }
        finally
        {
            _closed(this);
            _turn.Release();
        }

        await AwaitDurableAsync(durable, CancellationToken.None);
    }

    private async ValueTask<Task> StartFlushAsync(CancellationToken cancellationToken)
    {
        foreach (var stream in Enum.GetValues<LogStream>())
        {
            _output[(int)stream].EndPartialLine(_split);
            Queue(stream, _outputStep[(int)stream]);
        }

        var durable = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _pending.Enqueue(new QueuedLine(_producer, LogStream.System, default, Text: null, durable));
        await SendAsync(cancellationToken);
        return durable.Task;
    }

    private async Task AwaitDurableAsync(Task durable, CancellationToken cancellationToken)
    {
        try
        {
            await durable.WaitAsync(cancellationToken);
        }
        catch (LogStoreException)
        {
            _faultRaised = true;
            throw;
        }
    }

    private void Queue(LogStream stream, StepKind step) => Queue(stream, step, step);

    private void Queue(LogStream stream, StepKind first, StepKind others)
    {
        for (var index = 0; index < _split.Count; index++)
        {
            _pending.Enqueue(new QueuedLine(_producer, stream, index == 0 ? first : others, _split[index], Durable: null));
        }

        _split.Clear();
    }

    /// <summary>Hands on what waits; what a cancelled wait leaves behind goes with the next call, in its order.</summary>
    private async ValueTask SendAsync(CancellationToken cancellationToken)
    {
        ThrowIfFailed();
        try
        {
            while (_pending.TryPeek(out var line))
            {
                await _writer.AddAsync(line, cancellationToken);
                _pending.Dequeue();
            }
        }
        catch (LogStoreException)
        {
            _faultRaised = true;
            throw;
        }
    }

    private void ThrowIfFailed()
    {
        if (_producer.Fault is { } fault)
        {
            _faultRaised = true;
            throw fault;
        }
    }
}
