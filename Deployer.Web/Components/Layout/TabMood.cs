namespace Deployer.Web.Components.Layout;

/// <summary>What the icon of a tab says.</summary>
public enum TabMood
{
    /// <summary>Nothing to say.</summary>
    Calm,

    /// <summary>Something is being deployed.</summary>
    Busy,

    /// <summary>It went well.</summary>
    Good,

    /// <summary>Something failed.</summary>
    Bad,
}
