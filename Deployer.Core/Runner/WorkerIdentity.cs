using Deployer.Core.Data;
using Microsoft.Extensions.Options;

namespace Deployer.Core.Runner;

/// <summary>
/// Names this worker and tells which others are gone. A worker holds a lock on a file in the data directory for as long as
/// its process lives, however that ends; so what a crash left is seen at once, not only when its lease has run out.
/// </summary>
public sealed class WorkerIdentity : IDisposable
{
    private readonly string _directory;
    private readonly Lazy<FileStream> _lock;

    /// <summary>Names the worker; its lock is taken with the first question.</summary>
    public WorkerIdentity(IOptions<DataOptions> options)
    {
        _directory = Path.Combine(options.Value.Directory, "workers");
        Name = Guid.NewGuid().ToString("N");
        _lock = new Lazy<FileStream>(() =>
        {
            Directory.CreateDirectory(_directory);
            return new FileStream(PathOf(Name), FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None);
        });
    }

    /// <summary>The worker's name, new with each start.</summary>
    public string Name { get; }

    /// <summary>Shows that this worker lives. To be called before its name is written anywhere.</summary>
    public void Announce() => _ = _lock.Value;

    /// <summary>Whether a worker is known to live no more. One on another machine is not known: its lease decides.</summary>
    public bool IsGone(string worker)
    {
        if (string.Equals(worker, Name, StringComparison.Ordinal))
        {
            return false;
        }

        return TryTake(PathOf(worker));
    }

    /// <summary>Removes the lock files of workers that live no more, once nothing is left of their work.</summary>
    public void ForgetGone()
    {
        foreach (var path in Directory.Exists(_directory) ? Directory.GetFiles(_directory, "*.lock") : [])
        {
            if (TryTake(path))
            {
                File.Delete(path);
            }
        }
    }

    /// <summary>Gives up the lock.</summary>
    public void Dispose()
    {
        if (_lock.IsValueCreated)
        {
            _lock.Value.Dispose();
        }
    }

    // Whoever can take the lock proves that nobody holds it; a file that is not here proves nothing.
    private static bool TryTake(string path)
    {
        try
        {
            using var taken = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None);
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }

    private string PathOf(string worker) => Path.Combine(_directory, Path.GetFileName(worker) + ".lock");
}
