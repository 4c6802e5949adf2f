using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Deployer.Core.Data.Migrations
{
    /// <inheritdoc />
    public partial class StatisticsIndexes : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateIndex(
                name: "IX_deployments_app_id_status_ended_at",
                table: "deployments",
                columns: new[] { "app_id", "status", "ended_at" });

            migrationBuilder.CreateIndex(
                name: "IX_deployments_ended_at_status_app_id_started_at",
                table: "deployments",
                columns: new[] { "ended_at", "status", "app_id", "started_at" });
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "IX_deployments_app_id_status_ended_at",
                table: "deployments");

            migrationBuilder.DropIndex(
                name: "IX_deployments_ended_at_status_app_id_started_at",
                table: "deployments");
        }
    }
}
