using System.Xml.Linq;
using Microsoft.AspNetCore.DataProtection.Repositories;

namespace Deployer.Core.Secrets;

/// <summary>
/// Keeps the key ring as XML files that only the owner may read (mode 0600, directory 0700); the framework's own
/// repository goes by the umask.
/// </summary>
internal sealed class OwnerOnlyKeys(string directory) : IXmlRepository
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    public IReadOnlyCollection<XElement> GetAllElements() =>
        Directory.Exists(directory)
            ? [.. Directory.EnumerateFiles(directory, "*.xml").Order(StringComparer.Ordinal).Select(path => XElement.Load(path))]
            : [];

    public void StoreElement(XElement element, string friendlyName)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(directory);
        }
        else
        {
            Directory.CreateDirectory(directory, OwnerOnly | UnixFileMode.UserExecute);
            options.UnixCreateMode = OwnerOnly;
        }

        // Written aside and moved into place: who reads the ring meanwhile sees whole keys alone.
        var aside = Path.Combine(directory, Guid.NewGuid().ToString("N") + ".tmp");
        using (var file = new FileStream(aside, options))
        {
            element.Save(file);
            file.Flush(flushToDisk: true);
        }

        File.Move(aside, Path.Combine(directory, friendlyName + ".xml"), overwrite: false);
    }
}
