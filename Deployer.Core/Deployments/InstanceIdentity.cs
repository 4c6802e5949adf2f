using Deployer.Core.Data;
using Microsoft.Extensions.Options;

namespace Deployer.Core.Deployments;

/// <summary>
/// Which Deployer installation this is. Its containers carry the id, so that several installations may share an engine and
/// none touches the containers of another. Kept in the data directory, beside the database that it belongs to.
/// </summary>
public sealed class InstanceIdentity(IOptions<DataOptions> options)
{
    private const string FileName = "instance-id";

    private readonly Lazy<string> _id = new(() => ReadOrCreate(options.Value.Directory));

    /// <summary>32 hexadecimal digits.</summary>
    public string Id => _id.Value;

    private static string ReadOrCreate(string directory)
    {
        Directory.CreateDirectory(directory);
        var path = Path.Combine(directory, FileName);
        if (File.Exists(path))
        {
            return File.ReadAllText(path).Trim();
        }

        // Written aside and linked into place, so that of two processes one wins and neither reads half a file.
        var id = Guid.NewGuid().ToString("N");
        var aside = path + "." + id;
        File.WriteAllText(aside, id);
        try
        {
            File.Move(aside, path, overwrite: false);
            return id;
        }
        catch (IOException) when (File.Exists(path))
        {
            File.Delete(aside);
            return File.ReadAllText(path).Trim();
        }
    }
}
