using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Deployer.Core.Data;

/// <summary>Names tables and columns as the rest of the database does.</summary>
internal static class SnakeCaseTable
{
    /// <summary>Names the table, and each column after its property: <c>CreatedAt</c> becomes <c>created_at</c>.</summary>
    public static EntityTypeBuilder<T> ToSnakeCaseTable<T>(this EntityTypeBuilder<T> builder, string table)
        where T : class
    {
        builder.ToTable(table);
        foreach (var property in builder.Metadata.GetProperties())
        {
            property.SetColumnName(JsonNamingPolicy.SnakeCaseLower.ConvertName(property.Name));
        }

        return builder;
    }
}
