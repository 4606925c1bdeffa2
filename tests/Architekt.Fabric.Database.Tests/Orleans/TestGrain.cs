namespace Architekt.Fabric.Database.Tests;

[Alias("architekt.database-tests.note")]
public interface INoteGrain : IGrainWithStringKey
{
    [Alias("read")]
    Task<string?> ReadAsync();

    [Alias("write")]
    Task WriteAsync(string text);

    [Alias("clear")]
    Task ClearAsync();

    [Alias("where")]
    Task<string> WhereAsync();

    [Alias("remind")]
    Task RemindAsync();

    [Alias("forget")]
    Task ForgetAsync();

    [Alias("reminders")]
    Task<int> CountRemindersAsync();

    [Alias("fired")]
    Task<int> CountFiredAsync();
}

[GenerateSerializer]
[Alias("architekt.database-tests.note-state")]
public sealed class NoteState
{
    [Id(0)]
    public string? Text { get; set; }

    [Id(1)]
    public int Fired { get; set; }
}

internal sealed class NoteGrain(
    [PersistentState("note", "state")] IPersistentState<NoteState> state, ILocalSiloDetails silo) : Grain, INoteGrain, IRemindable
{
    private const string Reminder = "look";

    public Task<string?> ReadAsync() => Task.FromResult(state.State.Text);

    public async Task WriteAsync(string text)
    {
        state.State.Text = text;
        await state.WriteStateAsync();
    }

    public Task ClearAsync() => state.ClearStateAsync();

    public Task<string> WhereAsync() => Task.FromResult(silo.Name);

    public Task RemindAsync() => this.RegisterOrUpdateReminder(Reminder, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2));

    public async Task ForgetAsync() => await this.UnregisterReminder((await this.GetReminder(Reminder))!);

    public async Task<int> CountRemindersAsync() => (await this.GetReminders()).Count;

    public Task<int> CountFiredAsync() => Task.FromResult(state.State.Fired);

    public async Task ReceiveReminder(string reminderName, TickStatus status)
    {
        state.State.Fired++;
        await state.WriteStateAsync();
    }
}
