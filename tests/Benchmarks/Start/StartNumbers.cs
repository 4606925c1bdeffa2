namespace Architekt.Fabric.Benchmarks.Start;

/// <summary>What was measured of one size of guest; times in ms, sizes in bytes.</summary>
/// <param name="MemoryBytes">Its RAM.</param>
/// <param name="Boots">Command to answer, the blueprint booted.</param>
/// <param name="First">Command to answer, the package for the first time on this host.</param>
/// <param name="Commands">Command to answer, the package.</param>
/// <param name="Resumes">Peer's start to answer, as the machine that was packaged.</param>
/// <param name="Forks">Peer's start to answer, as a machine of its own.</param>
/// <param name="Resident">RAM that is there, with and without a fill.</param>
internal sealed record StartNumbers(
    long MemoryBytes,
    IReadOnlyList<double> Boots,
    CommandStart First,
    IReadOnlyList<CommandStart> Commands,
    IReadOnlyList<double> Resumes,
    IReadOnlyList<double> Forks,
    ResidentSizes Resident);
