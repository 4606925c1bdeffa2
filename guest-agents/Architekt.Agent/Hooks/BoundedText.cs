using System.Text;
using Architekt.AgentProtocol;

namespace Architekt.Agent.Hooks;

/// <summary>Collects a stream of a hook up to what a reply may carry, and reads the rest away so that the hook does not block on a full pipe.</summary>
internal sealed class BoundedText
{
    private readonly StringBuilder _text = new();
    private readonly Thread _thread;

    internal BoundedText(StreamReader reader)
    {
        _thread = new Thread(() => Drain(reader)) { IsBackground = true };
        _thread.Start();
    }

    /// <summary>What was collected, after waiting for the stream's end: a child the hook left in the background may hold it open.</summary>
    internal string Collect(TimeSpan grace)
    {
        _thread.Join(grace);
        lock (_text)
            return _text.ToString().Trim();
    }

    private void Drain(StreamReader reader)
    {
        var buffer = new char[1024];
        try
        {
            int count;
            while ((count = reader.Read(buffer)) > 0)
            {
                lock (_text)
                    _text.Append(buffer, 0, Math.Min(count, AgentLimits.MaxOutputCharacters - _text.Length));
            }
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException)
        {
            // The process object was closed over a child that still holds the stream: what we have is what there is.
        }
    }
}
