using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Deployer.Core.Data.Migrations
{
    /// <inheritdoc />
    public partial class OverriddenFreeze : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<string>(
                name: "overridden_freeze",
                table: "deployments",
                type: "TEXT",
                maxLength: 1000,
                nullable: true);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropColumn(
                name: "overridden_freeze",
                table: "deployments");
        }
    }
}
