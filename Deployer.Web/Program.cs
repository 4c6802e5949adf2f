using Deployer.Web;

return await DeployerApp.RunAsync(args);
