using System.ComponentModel.DataAnnotations;

namespace Deployer.Core.Data;

/// <summary>Where Deployer keeps its database and keys. Configuration section <c>Data</c>.</summary>
public sealed class DataOptions
{
    /// <summary>Configuration section.</summary>
    public const string Section = "Data";

    /// <summary>
    /// Directory of the database and the keys; made when missing. A relative path counts from the app's content root.
    /// Configuration key <c>Data:Directory</c>.
    /// </summary>
    [Required(AllowEmptyStrings = false, ErrorMessage = "Data:Directory is empty or no path; set it to the directory for the database and keys.")]
    public string Directory { get; set; } = "data";

    /// <summary>File name of the database inside <see cref="Directory"/>.</summary>
    public const string DatabaseFile = "deployer.db";
}
