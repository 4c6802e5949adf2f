using Deployer.Bench.SwitchOver;

if (args is not [var command, .. var rest])
{
    await Console.Error.WriteLineAsync("Say what to measure: switch-over");
    return 2;
}

switch (command)
{
    case "switch-over":
        return await SwitchOverBench.RunAsync(rest);
    default:
        await Console.Error.WriteLineAsync($"'{command}' cannot be measured; there is: switch-over");
        return 2;
}
