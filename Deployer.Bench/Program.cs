using Deployer.Bench.DeployOverhead;
using Deployer.Bench.Logs;
using Deployer.Bench.SwitchOver;

switch (args)
{
    case ["switch-over", .. var rest]:
        return await SwitchOverBench.RunAsync(rest);
    case ["deploy-overhead"]:
        return await DeployOverheadBench.RunAsync();
    case ["logs", .. var rest]:
        return await LogBench.RunAsync(rest);

    // The processes that the above, and the crash test, start for themselves.
    case ["logs-server"]:
        return await ServerMemory.RunServerAsync();
    case ["logs-storm", var directory]:
        return await Storm.RunAsync(directory);
    case [var command, ..]:
        await Console.Error.WriteLineAsync($"'{command}' cannot be measured; there is: switch-over, deploy-overhead, logs [--quick] [--only <part>]");
        return 2;
    default:
        await Console.Error.WriteLineAsync("Say what to measure: switch-over, deploy-overhead, logs [--quick] [--only <part>]");
        return 2;
}
