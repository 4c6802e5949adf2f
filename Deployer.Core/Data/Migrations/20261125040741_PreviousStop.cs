using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Deployer.Core.Data.Migrations
{
    /// <inheritdoc />
    public partial class PreviousStop : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<long>(
                name: "PreviousStoppedAt",
                table: "deployments",
                type: "INTEGER",
                nullable: true);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropColumn(
                name: "PreviousStoppedAt",
                table: "deployments");
        }
    }
}
