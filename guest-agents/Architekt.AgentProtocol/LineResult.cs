namespace Architekt.AgentProtocol;

/// <summary>What <see cref="LineBuffer.Take"/> found.</summary>
public enum LineResult
{
    /// <summary>The input ended before the line did.</summary>
    Incomplete,

    /// <summary>A whole line.</summary>
    Line,

    /// <summary>The end of a line that was longer than <see cref="AgentLimits.MaxLineBytes"/>.</summary>
    TooLong,
}
