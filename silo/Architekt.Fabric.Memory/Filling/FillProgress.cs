namespace Architekt.Fabric.Memory;

/// <summary>How far a <see cref="LazyFill"/> has come.</summary>
/// <param name="State">In a word.</param>
/// <param name="Faults">Times the guest touched something that was missing and waited for it.</param>
/// <param name="PagesOnDemand">Pages brought for that, neighbours and pages of zeros included.</param>
/// <param name="PagesFilled">Pages brought without being asked for.</param>
/// <param name="DataPages">Pages of the package that are not hole: so many are there at the end.</param>
/// <param name="ResidentBytes">Memory the guest's RAM occupies at the moment.</param>
public readonly record struct FillProgress(FillState State, long Faults, long PagesOnDemand, long PagesFilled, long DataPages, long ResidentBytes);
