using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Deployer.Core.Data.Migrations
{
    /// <inheritdoc />
    public partial class MergeIndexWhenHalfRemoved : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            // The index is put together beside the removal of logs. From a tenth on, as FTS5 would have it, the same pages
            // are written anew many times; when all is removed, nothing is written and a step knows no end.
            migrationBuilder.Sql("INSERT INTO log_search (log_search, rank) VALUES ('deletemerge', 50)");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql("INSERT INTO log_search (log_search, rank) VALUES ('deletemerge', 10)");
        }
    }
}
