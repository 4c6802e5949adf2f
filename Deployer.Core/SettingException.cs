namespace Deployer.Core;

/// <summary>A setting cannot be used, so Deployer does not start.</summary>
/// <param name="message">Names the configuration key, its value, what is wrong with it and the remedy; shown as it is.</param>
/// <param name="inner">What raised it; <see langword="null"/> where nothing did.</param>
public sealed class SettingException(string message, Exception? inner) : Exception(message, inner);
