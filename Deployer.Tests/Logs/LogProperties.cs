using System.Collections.Concurrent;
using System.Text;
using CsCheck;
using Deployer.Core.Deployments;
using Deployer.Core.Engine;
using Deployer.Core.Logs;

namespace Deployer.Tests.Logs;

/// <summary>
/// The invariants of the log store, with random clocks, producers, batch borders, readers and sealing. Each property
/// runs a thousand cases on one database, every case on a deployment of its own.
/// </summary>
public sealed class LogProperties : IAsyncDisposable
{
    private const int Cases = 1_000;
    private static readonly DateTimeOffset Beginning = DateTimeOffset.UnixEpoch.AddDays(20_000);

    private readonly LogTestBed _bed = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _bed.DisposeAsync();

    /// <summary>I1: numbers are dense and times strictly increase, whatever the clock does and whoever produces.</summary>
    [Fact]
    public async Task Append_AnyClockAndProducers_NumbersAreDenseAndTimesIncrease()
    {
        var clock = new SettableClock(Beginning);
        var store = _bed.OpenStore(clock);

        // More lines at once than a run holds come now and then.
        var amounts = Gen.Frequency((19, Gen.Int[1, 40]), (1, Gen.Int[501, 1_200]));
        var actions = Gen.OneOf(
            Gen.Select(Gen.Int[0, 3], amounts).Select((producer, lines) => new Act(producer, lines, 0)),
            Gen.Long[-14_400_000, 14_400_000].Select(milliseconds => new Act(-1, 0, milliseconds)),
            Gen.Int[0, 3].Select(producer => new Act(producer, 0, 0)));

        await actions.List[1, 12].SampleAsync(
            async acts =>
            {
                var deployment = await _bed.AddDeploymentAsync();
                var appenders = Enumerable.Range(0, 4).Select(_ => store.Open(deployment, [])).ToList();
                var sent = new int[4];
                foreach (var act in acts)
                {
                    if (act.Producer < 0)
                    {
                        clock.Move(TimeSpan.FromMilliseconds(act.ClockMilliseconds));
                    }
                    else if (act.Lines == 0)
                    {
                        await appenders[act.Producer].FlushAsync(Cancel);
                    }

                    for (var line = 0; line < act.Lines; line++)
                    {
                        await appenders[act.Producer].AppendAsync(
                            LogStream.Stdout, StepKind.Start, $"{act.Producer} {++sent[act.Producer]}", Cancel);
                    }
                }

                foreach (var appender in appenders)
                {
                    await appender.DisposeAsync();
                }

                var oracle = await ReadAsync(store, deployment, 7);
                for (var producer = 0; producer < 4; producer++)
                {
                    // Nothing lost, and each producer's lines in its own order.
                    Assert.Equal(
                        Enumerable.Range(1, sent[producer]).Select(number => $"{producer} {number}"),
                        oracle.Lines.Select(line => line.Text).Where(text => text[0] == '0' + producer));
                }

                await _bed.RemoveAsync(deployment);
            },
            iter: Cases, threads: 1);
    }

    /// <summary>I2: readers with random limits and resumes, while lines are written and sealed, see every line once, in order.</summary>
    [Fact]
    public async Task Read_WhileWrittenAndSealed_EveryReaderSeesEachLineOnceInOrder()
    {
        var store = _bed.OpenStore();
        var cases = Gen.Select(Gen.Int[1, 150], Gen.Int[1, 60], Gen.Int[1, 200], Gen.Int[1, 30]);

        await cases.SampleAsync(
            async parameters =>
            {
                var (lines, limit, otherLimit, flushEvery) = parameters;
                var deployment = await _bed.AddDeploymentAsync();
                var poller = Task.Run(() => PollAsync(store, deployment, limit), Cancel);
                var follower = Task.Run(() => FollowAsync(store, deployment, otherLimit), Cancel);
                await using (var appender = store.Open(deployment, []))
                {
                    for (var line = 1; line <= lines; line++)
                    {
                        await appender.AppendAsync(LogStream.Stdout, StepKind.Start, $"{line}", Cancel);
                        if (line % flushEvery == 0)
                        {
                            await appender.FlushAsync(Cancel);
                        }
                    }
                }

                await _bed.EndAsync(deployment);
                await LogSealingTests.SealAsync(_bed, store);

                var expected = Enumerable.Range(1, lines).Select(line => $"{line}").ToList();
                Assert.Equal(expected, (await poller).Lines.Select(line => line.Text));
                Assert.Equal(expected, (await follower).Lines.Select(line => line.Text));
                Assert.Equal(expected, (await ReadAsync(store, deployment, limit)).Lines.Select(line => line.Text));
                await _bed.RemoveAsync(deployment);
            },
            iter: Cases, threads: 1);
    }

    /// <summary>I4: who sees a final status has seen, or is given, all lines; nothing is stored after it.</summary>
    [Fact]
    public async Task Complete_StatusEndsAtAnyMoment_AllStoredLinesWereGiven()
    {
        var store = _bed.OpenStore();

        await Gen.Select(Gen.Int[0, 60], Gen.Int[1, 20]).SampleAsync(
            async parameters =>
            {
                var (endAfter, limit) = parameters;
                var deployment = await _bed.AddDeploymentAsync();
                var reader = Task.Run(() => PollAsync(store, deployment, limit), Cancel);
                var acknowledged = new ConcurrentBag<string>();
                var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                var producer = Task.Run(
                    async () =>
                    {
                        for (var line = 0; ; line++)
                        {
                            Assert.True(line < 100_000, "The log still takes lines after the end.");
                            if (line == endAfter)
                            {
                                ended.SetResult();
                            }

                            try
                            {
                                await store.AppendLog(deployment, LogStream.Stdout, StepKind.Start, $"{line}", Cancel);
                                acknowledged.Add($"{line}");
                            }
                            catch (LogStoreException closed) when (closed.Fault is LogStoreFault.Closed)
                            {
                                return;
                            }
                        }
                    },
                    Cancel);
                await ended.Task;
                await _bed.EndAsync(deployment);
                await producer;

                var seen = (await reader).Lines.Select(line => line.Text).ToList();
                Assert.Equal(acknowledged.Order(), seen.Order());
                Assert.Equal(seen.Count, (await store.GetExtent(deployment, Cancel))!.Lines);
                await _bed.RemoveAsync(deployment);
            },
            iter: Cases, threads: 1);
    }

    /// <summary>Blocks, runs and the border between them read the same, by time, by number and from the end.</summary>
    [Fact]
    public async Task Read_AnyRepresentation_GivesTheSameLines()
    {
        var store = _bed.OpenStore();
        var texts = Gen.OneOf(Gen.Const(""), Gen.String[Gen.Char['a', 'z'], 0, 200], Gen.Const("\u001b[31mröd 🚀\u001b[0m"));
        var cases = Gen.Select(texts.List[1, 120], Gen.Int[1, 40], Gen.Int[1, 130], Gen.Int[1, 50]);

        await cases.SampleAsync(
            async parameters =>
            {
                var (lines, flushEvery, from, limit) = parameters;
                var deployment = await _bed.AddDeploymentAsync();
                await using (var appender = store.Open(deployment, []))
                {
                    for (var line = 0; line < lines.Count; line++)
                    {
                        await appender.AppendAsync((LogStream)(line % 3), (StepKind)(line % 6), lines[line], Cancel);
                        if (line % flushEvery == 0)
                        {
                            await appender.FlushAsync(Cancel);
                        }
                    }
                }

                var all = (await ReadAsync(store, deployment, 1_000)).Lines;
                await _bed.EndAsync(deployment);
                await CompareAsync(store, deployment, all, from, limit);
                await LogSealingTests.SealAsync(_bed, store);
                await CompareAsync(store, deployment, all, from, limit);
                await _bed.RemoveAsync(deployment);
            },
            iter: Cases, threads: 1);
    }

    /// <summary>I5: however output is cut into pieces, the lines are those of the whole, and no secret shows in any form.</summary>
    [Fact]
    public void Gate_AnyPieces_GivesTheSameLinesAndShowsNoSecret()
    {
        var secrets = Gen.String[Gen.Char["abcXYZ019+/=%&-_ü"], 8, 24].Array[1, 4];
        var noise = Gen.String[Gen.Char["ab \t\r\n\b\u001b[31mK0;é"], 0, 30];

        Gen.Select(secrets, noise.Array[1, 8], Gen.Int[0, 5], Gen.Int[0, int.MaxValue]).Sample(
            (values, parts, form, seed) =>
            {
                var random = new Random(seed);
                var text = new StringBuilder();
                foreach (var part in parts)
                {
                    text.Append(part).Append('\n').Append("value=").Append(Encode(values[random.Next(values.Length)], form)).Append(" .\n");
                }

                var bytes = Encoding.UTF8.GetBytes(text.ToString());
                var whole = Pass(values, [bytes]);
                var pieces = Pass(values, Cut(bytes, random));

                Assert.Equal(whole, pieces);
                foreach (var line in whole)
                {
                    Assert.True(Encoding.UTF8.GetByteCount(line) <= LogGate.MaxLineBytes);
                    Assert.DoesNotContain(line, character => char.IsControl(character) && character != '\u001b');
                    foreach (var value in values.Where(value => value.Trim().Length >= Redactor.ShortestSecret))
                    {
                        Assert.DoesNotContain(Encode(value.Trim(), form), line, StringComparison.Ordinal);
                    }
                }
            },
            iter: Cases);
    }

    private static string Encode(string value, int form) => form switch
    {
        0 => value,
        1 => Convert.ToBase64String(Encoding.UTF8.GetBytes(value)),
        2 => Convert.ToBase64String(Encoding.UTF8.GetBytes(value)).TrimEnd('=').Replace('+', '-').Replace('/', '_'),
        3 => Uri.EscapeDataString(value),
        4 => System.Net.WebUtility.UrlEncode(value),
        _ => System.Text.Json.JsonSerializer.Serialize(value)[1..^1],
    };

    private static List<byte[]> Cut(byte[] bytes, Random random)
    {
        var pieces = new List<byte[]>();
        for (var start = 0; start < bytes.Length;)
        {
            var length = Math.Min(bytes.Length - start, random.Next(1, 12));
            pieces.Add(bytes[start..(start + length)]);
            start += length;
        }

        return pieces;
    }

    private static List<string> Pass(string[] secrets, IEnumerable<byte[]> pieces)
    {
        var gate = new LogGate([Redactor.Create(secrets)]);
        var lines = new List<string>();
        foreach (var piece in pieces)
        {
            gate.Take(piece, lines);
        }

        gate.EndPartialLine(lines);
        return lines;
    }

    private static async Task CompareAsync(LogStore store, long deployment, IReadOnlyList<LogLine> all, int from, int limit)
    {
        var range = await store.GetLogsRange(deployment, from, limit, Cancel);
        Assert.Equal(all.Skip(from - 1).Take(limit), range!.Lines);
        Assert.Equal(from - 1 + limit >= all.Count, range.Complete);
        var tail = await store.GetLogsTail(deployment, limit, Cancel);
        Assert.Equal(all.TakeLast(limit), tail!.Lines);
        var cursor = all[Math.Min(from, all.Count) - 1].Time;
        var after = await store.GetLogsAfter(deployment, cursor, limit, Cancel);
        Assert.Equal(all.Where(line => line.Time > cursor).Take(limit), after!.Lines);
    }

    private static async Task<LogOracle> ReadAsync(LogStore store, long deployment, int limit)
    {
        var oracle = new LogOracle();
        LogPage page;
        do
        {
            page = (await store.GetLogsAfter(deployment, oracle.Cursor, limit, Cancel))!;
            oracle.See(page);
        }
        while (page.Lines.Count > 0);

        return oracle;
    }

    /// <summary>Polls as the API's callers do; forgets its oracle's cursor for a moment now and then, as one who reconnects.</summary>
    private static async Task<LogOracle> PollAsync(LogStore store, long deployment, int limit)
    {
        var oracle = new LogOracle();
        while (!oracle.Complete)
        {
            oracle.See((await store.GetLogsAfter(deployment, oracle.Cursor, limit, TimeSpan.FromSeconds(5), Cancel))!);
        }

        return oracle;
    }

    private static async Task<LogOracle> FollowAsync(LogStore store, long deployment, int limit)
    {
        var oracle = new LogOracle();
        while (!oracle.Complete)
        {
            // Leaves after some lines and comes back with its cursor.
            var leaveAt = oracle.Lines.Count + (3 * limit);
            await foreach (var page in store.FollowAsync(deployment, oracle.Cursor, limit, Cancel))
            {
                oracle.See(page);
                if (oracle.Lines.Count > leaveAt)
                {
                    break;
                }
            }
        }

        return oracle;
    }

    private sealed record Act(int Producer, int Lines, long ClockMilliseconds);

    /// <summary>A clock that may also go back.</summary>
    private sealed class SettableClock(DateTimeOffset start) : TimeProvider
    {
        private long _ticks = start.UtcTicks;

        public void Move(TimeSpan by) => Interlocked.Add(ref _ticks, by.Ticks);

        public override DateTimeOffset GetUtcNow() => new(Interlocked.Read(ref _ticks), TimeSpan.Zero);
    }
}
