using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Deployer.Core.Data.Migrations
{
    /// <inheritdoc />
    public partial class SecretsRegistriesQueue : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<int>(
                name: "max_concurrent",
                table: "environments",
                type: "INTEGER",
                nullable: true);

            migrationBuilder.AddColumn<long>(
                name: "restored_from",
                table: "deployments",
                type: "INTEGER",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "sealed_secrets",
                table: "deployments",
                type: "TEXT",
                nullable: true);

            migrationBuilder.AddColumn<long>(
                name: "superseded_by",
                table: "deployments",
                type: "INTEGER",
                nullable: true);

            migrationBuilder.AddColumn<long>(
                name: "withdrawn_at",
                table: "deployments",
                type: "INTEGER",
                nullable: true);

            migrationBuilder.AddColumn<long>(
                name: "stopped_at",
                table: "apps",
                type: "INTEGER",
                nullable: true);

            migrationBuilder.CreateTable(
                name: "app_secrets",
                columns: table => new
                {
                    app_id = table.Column<long>(type: "INTEGER", nullable: false),
                    name = table.Column<string>(type: "TEXT", maxLength: 256, nullable: false),
                    sealed_value = table.Column<string>(type: "TEXT", nullable: false),
                    updated_at = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_app_secrets", x => new { x.app_id, x.name });
                    table.ForeignKey(
                        name: "FK_app_secrets_apps_app_id",
                        column: x => x.app_id,
                        principalTable: "apps",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "registries",
                columns: table => new
                {
                    host = table.Column<string>(type: "TEXT", maxLength: 300, nullable: false),
                    user_name = table.Column<string>(type: "TEXT", maxLength: 256, nullable: false),
                    sealed_password = table.Column<string>(type: "TEXT", nullable: false),
                    updated_at = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_registries", x => x.host);
                });
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "app_secrets");

            migrationBuilder.DropTable(
                name: "registries");

            migrationBuilder.DropColumn(
                name: "max_concurrent",
                table: "environments");

            migrationBuilder.DropColumn(
                name: "restored_from",
                table: "deployments");

            migrationBuilder.DropColumn(
                name: "sealed_secrets",
                table: "deployments");

            migrationBuilder.DropColumn(
                name: "superseded_by",
                table: "deployments");

            migrationBuilder.DropColumn(
                name: "withdrawn_at",
                table: "deployments");

            migrationBuilder.DropColumn(
                name: "stopped_at",
                table: "apps");
        }
    }
}
