using Deployer.Core.Deployments;
using NodaTime;

namespace Deployer.Core.Logs;

/// <summary>Appends and reads deployment logs.</summary>
public sealed class LogStore
{
}
