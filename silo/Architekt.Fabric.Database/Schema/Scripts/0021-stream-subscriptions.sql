-- Who listens to which stream was kept in a form that cannot be read; those who listen register again.

DELETE FROM orleans.grain_state WHERE state_name LIKE '%PubSubRendezvousGrain';
