using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Deployer.Core.Data.Migrations
{
    /// <inheritdoc />
    public partial class LogsOutliveTheirApp : Migration
    {
        private const string ChaptersTrigger =
            """
            CREATE TRIGGER deployment_log_chapters_deleted AFTER DELETE ON deployment_log_chapters
            BEGIN
              DELETE FROM log_search WHERE rowid = old.id;
            END
            """;

        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            // SQLite drops a foreign key only with its table, and the chapters' trigger would go unnoticed: made by hand.
            migrationBuilder.Sql(
                """
                ALTER TABLE deployment_logs RENAME TO deployment_logs_before;
                CREATE TABLE deployment_logs (
                  id INTEGER NOT NULL CONSTRAINT PK_deployment_logs PRIMARY KEY AUTOINCREMENT, deployment_id INTEGER NOT NULL,
                  first_line INTEGER NOT NULL, line_count INTEGER NOT NULL, first_time INTEGER NOT NULL, last_time INTEGER NOT NULL,
                  compression INTEGER NOT NULL, sealed INTEGER NOT NULL, raw_bytes INTEGER NOT NULL, payload BLOB NOT NULL);
                INSERT INTO deployment_logs
                  SELECT id, deployment_id, first_line, line_count, first_time, last_time, compression, sealed, raw_bytes, payload
                  FROM deployment_logs_before;
                DROP TABLE deployment_logs_before;
                CREATE UNIQUE INDEX ix_deployment_logs_deployment_line ON deployment_logs (deployment_id, first_line);
                CREATE UNIQUE INDEX ix_deployment_logs_deployment_time ON deployment_logs (deployment_id, last_time);
                CREATE INDEX ix_deployment_logs_unsealed ON deployment_logs (deployment_id) WHERE sealed = 0
                """);
            migrationBuilder.Sql(
                """
                ALTER TABLE deployment_log_totals RENAME TO deployment_log_totals_before;
                CREATE TABLE deployment_log_totals (
                  deployment_id INTEGER NOT NULL CONSTRAINT PK_deployment_log_totals PRIMARY KEY, lines INTEGER NOT NULL,
                  raw_bytes INTEGER NOT NULL, stored_bytes INTEGER NOT NULL);
                INSERT INTO deployment_log_totals SELECT deployment_id, lines, raw_bytes, stored_bytes FROM deployment_log_totals_before;
                DROP TABLE deployment_log_totals_before
                """);
            migrationBuilder.Sql(
                """
                DROP TRIGGER deployment_log_chapters_deleted;
                ALTER TABLE deployment_log_chapters RENAME TO deployment_log_chapters_before;
                CREATE TABLE deployment_log_chapters (
                  id INTEGER NOT NULL CONSTRAINT PK_deployment_log_chapters PRIMARY KEY AUTOINCREMENT, deployment_id INTEGER NOT NULL,
                  first_line INTEGER NOT NULL, line_count INTEGER NOT NULL, first_time INTEGER NOT NULL, last_time INTEGER NOT NULL);
                INSERT INTO deployment_log_chapters
                  SELECT id, deployment_id, first_line, line_count, first_time, last_time FROM deployment_log_chapters_before;
                DROP TABLE deployment_log_chapters_before;
                CREATE UNIQUE INDEX ix_deployment_log_chapters_deployment_line ON deployment_log_chapters (deployment_id, first_line)
                """);
            migrationBuilder.Sql(ChaptersTrigger);

            // FTS5 merges within commits, for as long as it takes; the application does it in small steps (LogSlices). The
            // crisis merge stays as what should never come.
            migrationBuilder.Sql("INSERT INTO log_search (log_search, rank) VALUES ('automerge', 0)");
            migrationBuilder.Sql("INSERT INTO log_search (log_search, rank) VALUES ('crisismerge', 500)");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            // The tables without foreign keys serve an older version as well.
            migrationBuilder.Sql("INSERT INTO log_search (log_search, rank) VALUES ('automerge', 4)");
            migrationBuilder.Sql("INSERT INTO log_search (log_search, rank) VALUES ('crisismerge', 16)");
        }
    }
}
