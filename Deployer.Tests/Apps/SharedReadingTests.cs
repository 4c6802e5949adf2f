using System.Runtime.CompilerServices;
using Deployer.Core.Apps;

namespace Deployer.Tests.Apps;

/// <summary>Readings that many share.</summary>
public sealed class SharedReadingTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Read_ManyAtOnce_NobodyIsToldWhatWasReadBeforeTheyAsked()
    {
        var now = 0;
        var reading = new SharedReading<int>(() => Task.FromResult(Volatile.Read(ref now)));

        await Parallel.ForAsync(0, 200_000, new ParallelOptions { MaxDegreeOfParallelism = 4, CancellationToken = Cancel }, async (_, cancel) =>
        {
            var asked = Interlocked.Increment(ref now);
            var told = await reading.ReadAsync(cancel);
            Assert.True(told >= asked, $"asked at {asked}, told what held at {told}");
        });
    }

    [Fact]
    public async Task Read_WhileOneRuns_SharesTheNextAndOverlapsNone()
    {
        var begun = new List<TaskCompletionSource<int>>();
        var started = new SemaphoreSlim(0);
        var reading = new SharedReading<int>(() =>
        {
            var answer = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
            begun.Add(answer);
            started.Release();
            return answer.Task;
        });

        var first = reading.ReadAsync(Cancel);
        await started.WaitAsync(Cancel);
        var later = new[] { reading.ReadAsync(Cancel), reading.ReadAsync(Cancel) };
        Assert.Single(begun);

        begun[0].SetResult(1);
        Assert.Equal(1, await first);
        await started.WaitAsync(Cancel);
        begun[1].SetResult(2);
        Assert.All(await Task.WhenAll(later), told => Assert.Equal(2, told));
        Assert.Equal(2, begun.Count);
    }

    [Fact]
    public async Task Read_AfterOneThatFailed_ReadsAgain()
    {
        var calls = 0;
        var reading = new SharedReading<int>(() => ++calls == 1 ? Task.FromException<int>(new InvalidOperationException("no answer")) : Task.FromResult(calls));

        await Assert.ThrowsAsync<InvalidOperationException>(() => reading.ReadAsync(Cancel));
        Assert.Equal(2, await reading.ReadAsync(Cancel));
    }

    [Fact]
    public async Task Read_OneCallerLeaves_TheOthersAreStillTold()
    {
        var answer = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        var reading = new SharedReading<int>(() => answer.Task);
        using var leave = new CancellationTokenSource();

        var leaving = reading.ReadAsync(leave.Token);
        var staying = reading.ReadAsync(Cancel);
        await leave.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => leaving);

        answer.SetResult(7);
        Assert.Equal(7, await staying);
    }

    [Fact]
    public async Task Read_Again_LetsGoOfWhatWasReadBefore()
    {
        var reading = new SharedReading<object>(() => Task.FromResult(new object()));
        var before = await ReadAndForgetAsync();
        await reading.ReadAsync(Cancel);
        await reading.ReadAsync(Cancel);

        for (var round = 0; round < 50 && before.IsAlive; round++)
        {
            await Task.Yield();
            GC.Collect();
        }

        Assert.False(before.IsAlive, "a later reading still holds an earlier one");

        [MethodImpl(MethodImplOptions.NoInlining)]
        async Task<WeakReference> ReadAndForgetAsync() => new(await reading.ReadAsync(Cancel));
    }
}
