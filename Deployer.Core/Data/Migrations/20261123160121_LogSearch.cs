using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Deployer.Core.Data.Migrations
{
    /// <inheritdoc />
    public partial class LogSearch : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "deployment_log_chapters",
                columns: table => new
                {
                    id = table.Column<long>(type: "INTEGER", nullable: false)
                        .Annotation("Sqlite:Autoincrement", true),
                    deployment_id = table.Column<long>(type: "INTEGER", nullable: false),
                    first_line = table.Column<long>(type: "INTEGER", nullable: false),
                    line_count = table.Column<int>(type: "INTEGER", nullable: false),
                    first_time = table.Column<long>(type: "INTEGER", nullable: false),
                    last_time = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_deployment_log_chapters", x => x.id);
                    table.ForeignKey(
                        name: "FK_deployment_log_chapters_deployments_deployment_id",
                        column: x => x.deployment_id,
                        principalTable: "deployments",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateIndex(
                name: "ix_deployment_log_chapters_deployment_line",
                table: "deployment_log_chapters",
                columns: new[] { "deployment_id", "first_line" },
                unique: true);

            // What is indexed is made by the application (LogGrams), so only row ids are kept here, no texts and no positions.
            migrationBuilder.Sql(
                "CREATE VIRTUAL TABLE log_search USING fts5(grams, content='', contentless_delete=1, detail=none, tokenize='ascii')");
            migrationBuilder.Sql(
                """
                CREATE TRIGGER deployment_log_chapters_deleted AFTER DELETE ON deployment_log_chapters
                BEGIN
                  DELETE FROM log_search WHERE rowid = old.id;
                END
                """);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql("DROP TABLE log_search");
            migrationBuilder.DropTable(
                name: "deployment_log_chapters");
        }
    }
}
