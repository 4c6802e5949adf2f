using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Deployer.Core.Data.Migrations
{
    /// <inheritdoc />
    public partial class Logs : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<long>(
                name: "log_removed_at",
                table: "deployments",
                type: "INTEGER",
                nullable: true);

            migrationBuilder.AddColumn<bool>(
                name: "pinned",
                table: "deployments",
                type: "INTEGER",
                nullable: false,
                defaultValue: false);

            migrationBuilder.CreateTable(
                name: "deployment_log_totals",
                columns: table => new
                {
                    deployment_id = table.Column<long>(type: "INTEGER", nullable: false),
                    lines = table.Column<long>(type: "INTEGER", nullable: false),
                    raw_bytes = table.Column<long>(type: "INTEGER", nullable: false),
                    stored_bytes = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_deployment_log_totals", x => x.deployment_id);
                    table.ForeignKey(
                        name: "FK_deployment_log_totals_deployments_deployment_id",
                        column: x => x.deployment_id,
                        principalTable: "deployments",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "deployment_logs",
                columns: table => new
                {
                    id = table.Column<long>(type: "INTEGER", nullable: false)
                        .Annotation("Sqlite:Autoincrement", true),
                    deployment_id = table.Column<long>(type: "INTEGER", nullable: false),
                    first_line = table.Column<long>(type: "INTEGER", nullable: false),
                    line_count = table.Column<int>(type: "INTEGER", nullable: false),
                    first_time = table.Column<long>(type: "INTEGER", nullable: false),
                    last_time = table.Column<long>(type: "INTEGER", nullable: false),
                    compression = table.Column<int>(type: "INTEGER", nullable: false),
                    @sealed = table.Column<bool>(name: "sealed", type: "INTEGER", nullable: false),
                    raw_bytes = table.Column<int>(type: "INTEGER", nullable: false),
                    payload = table.Column<byte[]>(type: "BLOB", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_deployment_logs", x => x.id);
                    table.ForeignKey(
                        name: "FK_deployment_logs_deployments_deployment_id",
                        column: x => x.deployment_id,
                        principalTable: "deployments",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateIndex(
                name: "ix_deployment_logs_deployment_line",
                table: "deployment_logs",
                columns: new[] { "deployment_id", "first_line" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "ix_deployment_logs_deployment_time",
                table: "deployment_logs",
                columns: new[] { "deployment_id", "last_time" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "ix_deployment_logs_unsealed",
                table: "deployment_logs",
                column: "deployment_id",
                filter: "sealed = 0");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "deployment_log_totals");

            migrationBuilder.DropTable(
                name: "deployment_logs");

            migrationBuilder.DropColumn(
                name: "log_removed_at",
                table: "deployments");

            migrationBuilder.DropColumn(
                name: "pinned",
                table: "deployments");
        }
    }
}
