using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Deployer.Core.Data.Migrations
{
    /// <inheritdoc />
    public partial class Routes : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "proxies",
                columns: table => new
                {
                    id = table.Column<string>(type: "TEXT", maxLength: 256, nullable: false),
                    urls = table.Column<string>(type: "TEXT", maxLength: 1000, nullable: false),
                    started_at = table.Column<long>(type: "INTEGER", nullable: false),
                    seen_at = table.Column<long>(type: "INTEGER", nullable: false),
                    version = table.Column<long>(type: "INTEGER", nullable: false),
                    draining = table.Column<string>(type: "TEXT", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_proxies", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "route_clock",
                columns: table => new
                {
                    id = table.Column<int>(type: "INTEGER", nullable: false),
                    version = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_route_clock", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "route_targets",
                columns: table => new
                {
                    id = table.Column<long>(type: "INTEGER", nullable: false)
                        .Annotation("Sqlite:Autoincrement", true),
                    app_id = table.Column<long>(type: "INTEGER", nullable: false),
                    deployment_id = table.Column<long>(type: "INTEGER", nullable: false),
                    container_id = table.Column<string>(type: "TEXT", maxLength: 128, nullable: false),
                    address = table.Column<string>(type: "TEXT", maxLength: 45, nullable: true),
                    container_port = table.Column<int>(type: "INTEGER", nullable: false),
                    port = table.Column<int>(type: "INTEGER", nullable: false),
                    state = table.Column<int>(type: "INTEGER", nullable: false),
                    version = table.Column<long>(type: "INTEGER", nullable: false),
                    changed_at = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_route_targets", x => x.id);
                    table.ForeignKey(
                        name: "FK_route_targets_apps_app_id",
                        column: x => x.app_id,
                        principalTable: "apps",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "routes",
                columns: table => new
                {
                    host = table.Column<string>(type: "TEXT", maxLength: 253, nullable: false),
                    app_id = table.Column<long>(type: "INTEGER", nullable: false),
                    deployment_id = table.Column<long>(type: "INTEGER", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_routes", x => x.host);
                    table.ForeignKey(
                        name: "FK_routes_apps_app_id",
                        column: x => x.app_id,
                        principalTable: "apps",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.InsertData(
                table: "route_clock",
                columns: new[] { "id", "version" },
                values: new object[] { 1, 0L });

            migrationBuilder.CreateIndex(
                name: "IX_route_targets_container_id",
                table: "route_targets",
                column: "container_id",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "ix_route_targets_one_active_per_app",
                table: "route_targets",
                column: "app_id",
                unique: true,
                filter: "state = 0");

            migrationBuilder.CreateIndex(
                name: "IX_routes_app_id",
                table: "routes",
                column: "app_id");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "proxies");

            migrationBuilder.DropTable(
                name: "route_clock");

            migrationBuilder.DropTable(
                name: "route_targets");

            migrationBuilder.DropTable(
                name: "routes");
        }
    }
}
