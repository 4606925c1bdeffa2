using System.Collections.Immutable;
using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using Orleans.Runtime.Placement;

namespace Architekt.Fabric.Grains.Tests.Placement;

/// <summary>What a silo says of another one that has joined and of which it has not heard yet.</summary>
public sealed class HostPinnedDirectorTests
{
    private static readonly SiloAddress HostA = SiloAddress.New(new IPEndPoint(IPAddress.Loopback, 11111), 1);
    private static readonly SiloAddress HostB = SiloAddress.New(new IPEndPoint(IPAddress.Loopback, 11112), 1);
    private readonly StaleMembership _membership = new();
    private readonly IntroducingContext _context = new();

    [Fact]
    public async Task OnAddActivation_SiloHasJoinedUnheardOf_AsksTheTableAndPlacesThere()
    {
        _membership.Table["host-b"] = HostB;

        Assert.Equal(HostB, await PlaceAsync("host-b"));
        Assert.Equal(1, _membership.Refreshes);
    }

    [Fact]
    public async Task OnAddActivation_SiloIsKnown_DoesNotReadTheTable()
    {
        Assert.Equal(HostA, await PlaceAsync("host-a"));
        Assert.Equal(0, _membership.Refreshes);
    }

    [Fact]
    public async Task OnAddActivation_SiloIsNotInTheTableEither_IsUnavailable()
    {
        var error = await Assert.ThrowsAsync<FabricException>(() => PlaceAsync("host-b"));

        Assert.Equal(FabricErrorCode.Unavailable, error.Code);
        Assert.Contains("'host-b'", error.Message, StringComparison.Ordinal);
        Assert.Equal(1, _membership.Refreshes);
    }

    [Fact]
    public async Task OnAddActivation_TableCannotBeRead_IsUnavailableByWhatIsKnown()
    {
        _membership.Failure = new TimeoutException("no answer");

        Assert.Equal(FabricErrorCode.Unavailable, (await Assert.ThrowsAsync<FabricException>(() => PlaceAsync("host-b"))).Code);
        Assert.Equal(HostA, await PlaceAsync("host-a"));
    }

    [Fact]
    public async Task OnAddActivation_SiloHasNotSaidYetWhatGrainsItHas_WaitsForIt()
    {
        _membership.Table["host-b"] = HostB;
        _context.SilentFor = 3;

        Assert.Equal(HostB, await PlaceAsync("host-b"));
        Assert.Equal(0, _context.SilentFor);
    }

    private Task<SiloAddress> PlaceAsync(string host)
    {
        // A host's grain is found by its key alone: no store is asked.
        var locator = new HostLocator(null!, null!, _membership, null!, NullLogger<HostLocator>.Instance);
        var target = new PlacementTarget(GrainId.Create(PinnedGrainTypes.Host, host), [], default, 0);
        return new HostPinnedDirector(locator, TimeProvider.System).OnAddActivation(HostPinnedPlacement.Singleton, target, _context);
    }

    /// <summary>Has heard of host-a, and hears of what is in the table when it reads it.</summary>
    private sealed class StaleMembership : IClusterMembershipService
    {
        public Dictionary<string, SiloAddress> Table { get; } = new() { ["host-a"] = HostA };

        public Exception? Failure { get; set; }

        public int Refreshes { get; private set; }

        public ClusterMembershipSnapshot CurrentSnapshot { get; private set; } = Snapshot([new("host-a", HostA)], version: 1);

        public IAsyncEnumerable<ClusterMembershipSnapshot> MembershipUpdates => throw new NotSupportedException();

        public ValueTask Refresh(MembershipVersion minimumVersion = default, CancellationToken cancellationToken = default)
        {
            if (Failure is not null) throw Failure;
            CurrentSnapshot = Snapshot(Table, 1 + ++Refreshes);
            return default;
        }

        public Task<bool> TryKill(SiloAddress siloAddress) => throw new NotSupportedException();

        private static ClusterMembershipSnapshot Snapshot(IEnumerable<KeyValuePair<string, SiloAddress>> members, long version) => new(
            members.ToImmutableDictionary(static member => member.Value, static member => new ClusterMember(member.Value, SiloStatus.Active, member.Key)),
            new MembershipVersion(version));
    }

    /// <summary>Does not know what host-b can run the first times it is asked.</summary>
    private sealed class IntroducingContext : IPlacementContext
    {
        public int SilentFor { get; set; }

        public SiloAddress LocalSilo => HostA;

        public SiloStatus LocalSiloStatus => SiloStatus.Active;

        public SiloAddress[] GetCompatibleSilos(PlacementTarget target)
        {
            if (SilentFor == 0) return [HostA, HostB];
            SilentFor--;
            return [HostA];
        }

        public IReadOnlyDictionary<ushort, SiloAddress[]> GetCompatibleSilosWithVersions(PlacementTarget target) => throw new NotSupportedException();
    }
}
