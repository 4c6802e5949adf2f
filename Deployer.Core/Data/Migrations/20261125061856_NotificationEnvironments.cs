using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Deployer.Core.Data.Migrations
{
    /// <inheritdoc />
    public partial class NotificationEnvironments : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "notification_marks");

            migrationBuilder.AddColumn<string>(
                name: "environment",
                table: "notification_targets",
                type: "TEXT",
                maxLength: 63,
                nullable: true);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropColumn(
                name: "environment",
                table: "notification_targets");

            migrationBuilder.CreateTable(
                name: "notification_marks",
                columns: table => new
                {
                    deployment_id = table.Column<long>(type: "INTEGER", nullable: false),
                    @event = table.Column<int>(name: "event", type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_notification_marks", x => new { x.deployment_id, x.@event });
                    table.ForeignKey(
                        name: "FK_notification_marks_deployments_deployment_id",
                        column: x => x.deployment_id,
                        principalTable: "deployments",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });
        }
    }
}
