using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Deployer.Core.Data.Migrations
{
    /// <inheritdoc />
    public partial class DeploymentContainers : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<string>(
                name: "image_id",
                table: "deployments",
                type: "TEXT",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "ports",
                table: "deployments",
                type: "TEXT",
                nullable: false,
                defaultValue: "[]");

            migrationBuilder.AddColumn<string>(
                name: "previous_container_id",
                table: "deployments",
                type: "TEXT",
                nullable: true);

            migrationBuilder.AddColumn<long>(
                name: "switched_at",
                table: "deployments",
                type: "INTEGER",
                nullable: true);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropColumn(
                name: "image_id",
                table: "deployments");

            migrationBuilder.DropColumn(
                name: "ports",
                table: "deployments");

            migrationBuilder.DropColumn(
                name: "previous_container_id",
                table: "deployments");

            migrationBuilder.DropColumn(
                name: "switched_at",
                table: "deployments");
        }
    }
}
