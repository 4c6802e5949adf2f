using Deployer.Web;

var builder = WebApplication.CreateBuilder(args);
builder.AddDeployer();

var app = builder.Build();
app.MapDeployer();
await app.RunAsync();
