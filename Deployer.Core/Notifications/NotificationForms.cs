using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Deployer.Core.Data;

namespace Deployer.Core.Notifications;

/// <summary>Puts messages into the forms of receivers. What people wrote stays text in each: no mention, no markup.</summary>
internal static class NotificationForms
{
    // Readable in whatever receives it; it is data, and in no page.
    private static readonly JsonSerializerOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>What an event is called: <c>deployment.failed</c>.</summary>
    public static string EventName(NotificationEvents happened) => happened switch
    {
        NotificationEvents.Succeeded => "deployment.succeeded",
        NotificationEvents.Failed => "deployment.failed",
        NotificationEvents.Canceled => "deployment.canceled",
        _ => "deployment.approval_wanted",
    };

    /// <summary>The body for a receiver over HTTP.</summary>
    public static byte[] Body(NotificationKind kind, NotificationMessage message)
    {
        var json = kind switch
        {
            NotificationKind.Slack => Slack(message),
            NotificationKind.Discord => Discord(message),
            _ => Plain(message),
        };
        return Encoding.UTF8.GetBytes(json.ToJsonString(Options));
    }

    /// <summary>The text of an e-mail.</summary>
    public static string MailText(NotificationMessage message)
    {
        var text = new StringBuilder().Append(message.Title).Append(".\n\n");
        foreach (var (name, value) in Facts(message))
        {
            text.Append(name).Append(": ").Append(value).Append('\n');
        }

        return text.Append('\n').Append(message.Url).Append('\n').ToString();
    }

    private static JsonObject Plain(NotificationMessage message) => new()
    {
        ["id"] = message.Id,
        ["event"] = EventName(message.Event),
        ["at"] = Rfc3339.Format(message.At),
        ["title"] = message.Title,
        ["app"] = message.App,
        ["environment"] = message.Environment,
        ["deployment_id"] = message.DeploymentId,
        ["number"] = message.Number,
        ["image"] = message.Image,
        ["requested_by"] = message.RequestedBy,
        ["reason"] = message.Reason,
        ["line"] = message.Line,
        ["url"] = message.Url,
    };

    // https://docs.slack.dev/messaging/formatting-message-text: &, < and > are all that is to be escaped.
    private static JsonObject Slack(NotificationMessage message)
    {
        var text = new StringBuilder().Append('<').Append(EscapeSlack(message.Url)).Append('|').Append(EscapeSlack(message.Title)).Append('>');
        foreach (var (name, value) in Facts(message))
        {
            text.Append('\n').Append(name).Append(": ").Append(EscapeSlack(value));
        }

        return new JsonObject { ["text"] = text.ToString(), ["unfurl_links"] = false };
    }

    // https://discord.com/developers/docs/resources/webhook#execute-webhook
    private static JsonObject Discord(NotificationMessage message) => new()
    {
        ["allowed_mentions"] = new JsonObject { ["parse"] = new JsonArray() },
        ["embeds"] = new JsonArray(new JsonObject
        {
            ["title"] = EscapeMarkdown(message.Title),
            ["url"] = message.Url,
            ["color"] = message.Event switch
            {
                NotificationEvents.Succeeded => 0x2E7D32,
                NotificationEvents.Failed => 0xC62828,
                _ => 0x616161,
            },
            ["description"] = string.Join('\n', Facts(message).Select(fact => $"{fact.Name}: {EscapeMarkdown(fact.Value)}")),
        }),
    };

    private static IEnumerable<(string Name, string Value)> Facts(NotificationMessage message) =>
        new (string Name, string? Value)[]
        {
            ("Image", message.Image), ("By", message.RequestedBy), ("Reason", message.Reason), ("What happened", message.Line),
        }.Where(fact => !string.IsNullOrEmpty(fact.Value)).Select(fact => (fact.Name, fact.Value!));

    private static string EscapeSlack(string text) =>
        text.Replace("&", "&amp;", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal).Replace(">", "&gt;", StringComparison.Ordinal);

    private static string EscapeMarkdown(string text)
    {
        var escaped = new StringBuilder(text.Length);
        foreach (var character in text)
        {
            if (character is '\\' or '*' or '_' or '~' or '`' or '|' or '>' or '#' or '[' or ']' or '(' or ')' or '<')
            {
                escaped.Append('\\');
            }

            escaped.Append(character);
        }

        return escaped.ToString();
    }
}
