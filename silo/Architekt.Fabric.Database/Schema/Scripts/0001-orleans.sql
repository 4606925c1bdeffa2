-- What Orleans' ADO.NET providers (10.4) keep in Postgres. The contract is the key of each row in OrleansQuery, the names and types of
-- the parameters its text may use, and the names of the columns it must return; tables and statements behind it are ours.
-- The providers read OrleansQuery unqualified, so their connections have "orleans" as search path. Every statement is one statement:
-- it happens as a whole or not at all, without functions or explicit transactions.

CREATE SCHEMA IF NOT EXISTS orleans;

CREATE TABLE orleans.orleansquery (
    querykey  text PRIMARY KEY,
    querytext text NOT NULL
);

-- Clustering -----------------------------------------------------------------------------------------------------------------------

-- One row per cluster: every change of its membership must name the version it was decided on and raises it by one.
CREATE TABLE orleans.cluster (
    deployment text PRIMARY KEY,
    version    integer NOT NULL DEFAULT 0,
    changed_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE orleans.member (
    deployment    text NOT NULL REFERENCES orleans.cluster ON DELETE CASCADE,
    address       text NOT NULL,
    port          integer NOT NULL,
    generation    integer NOT NULL,
    silo_name     text NOT NULL,
    host_name     text NOT NULL,
    status        integer NOT NULL,
    proxy_port    integer NOT NULL,
    suspect_times text,
    start_time    timestamptz NOT NULL,
    i_am_alive    timestamptz NOT NULL,
    PRIMARY KEY (deployment, address, port, generation)
);

INSERT INTO orleans.orleansquery (querykey, querytext) VALUES
('InsertMembershipVersionKey', $q$
    WITH created AS (
        INSERT INTO orleans.cluster (deployment) VALUES (@DeploymentId)
        ON CONFLICT (deployment) DO NOTHING
        RETURNING deployment)
    SELECT EXISTS (SELECT 1 FROM created)
$q$),

-- The version row is the lock: who comes second waits for it, finds another version, and changes nothing.
('InsertMembershipKey', $q$
    WITH step AS (
        UPDATE orleans.cluster SET version = version + 1, changed_at = now()
        WHERE deployment = @DeploymentId AND version = @Version
          AND NOT EXISTS (
            SELECT 1 FROM orleans.member
            WHERE deployment = @DeploymentId AND address = @Address AND port = @Port AND generation = @Generation)
        RETURNING deployment),
    added AS (
        INSERT INTO orleans.member
            (deployment, address, port, generation, silo_name, host_name, status, proxy_port, start_time, i_am_alive)
        SELECT deployment, @Address, @Port, @Generation, @SiloName, @HostName, @Status, @ProxyPort, @StartTime, @IAmAliveTime
        FROM step
        RETURNING deployment)
    SELECT EXISTS (SELECT 1 FROM added)
$q$),

('UpdateMembershipKey', $q$
    WITH step AS (
        UPDATE orleans.cluster SET version = version + 1, changed_at = now()
        WHERE deployment = @DeploymentId AND version = @Version
          AND EXISTS (
            SELECT 1 FROM orleans.member
            WHERE deployment = @DeploymentId AND address = @Address AND port = @Port AND generation = @Generation)
        RETURNING deployment),
    changed AS (
        UPDATE orleans.member AS m
        SET status = @Status, suspect_times = @SuspectTimes, i_am_alive = @IAmAliveTime
        FROM step
        WHERE m.deployment = step.deployment AND m.address = @Address AND m.port = @Port AND m.generation = @Generation
        RETURNING m.deployment)
    SELECT EXISTS (SELECT 1 FROM changed)
$q$),

-- A sign of life is no change of the membership: no version, so that it never collides with one.
('UpdateIAmAlivetimeKey', $q$
    UPDATE orleans.member SET i_am_alive = @IAmAliveTime
    WHERE deployment = @DeploymentId AND address = @Address AND port = @Port AND generation = @Generation
$q$),

-- Both reads return the version even when there is no member: one row with nulls.
('MembershipReadRowKey', $q$
    SELECT c.deployment AS DeploymentId, m.address AS Address, m.port AS Port, m.generation AS Generation, m.silo_name AS SiloName,
           m.host_name AS HostName, m.status AS Status, m.proxy_port AS ProxyPort, m.suspect_times AS SuspectTimes,
           m.start_time AS StartTime, m.i_am_alive AS IAmAliveTime, c.version AS Version
    FROM orleans.cluster AS c
    LEFT JOIN orleans.member AS m
        ON m.deployment = c.deployment AND m.address = @Address AND m.port = @Port AND m.generation = @Generation
    WHERE c.deployment = @DeploymentId
$q$),

('MembershipReadAllKey', $q$
    SELECT c.deployment AS DeploymentId, m.address AS Address, m.port AS Port, m.generation AS Generation, m.silo_name AS SiloName,
           m.host_name AS HostName, m.status AS Status, m.proxy_port AS ProxyPort, m.suspect_times AS SuspectTimes,
           m.start_time AS StartTime, m.i_am_alive AS IAmAliveTime, c.version AS Version
    FROM orleans.cluster AS c
    LEFT JOIN orleans.member AS m ON m.deployment = c.deployment
    WHERE c.deployment = @DeploymentId
$q$),

('GatewaysQueryKey', $q$
    SELECT address AS Address, proxy_port AS ProxyPort, generation AS Generation
    FROM orleans.member
    WHERE deployment = @DeploymentId AND status = @Status AND proxy_port > 0
$q$),

('DeleteMembershipTableEntriesKey', $q$
    DELETE FROM orleans.cluster WHERE deployment = @DeploymentId
$q$),

-- 3 is SiloStatus.Active: an active member is never removed, however old its last sign of life.
('CleanupDefunctSiloEntriesKey', $q$
    DELETE FROM orleans.member
    WHERE deployment = @DeploymentId AND i_am_alive < @IAmAliveTime AND status <> 3
$q$);

-- Grain state ----------------------------------------------------------------------------------------------------------------------

-- state_name is the provider's "grain type": the name given to [PersistentState], not the class (dotnet/orleans issue 8746), so it
-- must be unique per grain class. The primary key is what keeps two activations from both writing a first version; the provider's
-- hashes are not needed for that and are not stored.
CREATE TABLE orleans.grain_state (
    service     text NOT NULL,
    state_name  text NOT NULL,
    key_n0      bigint NOT NULL,
    key_n1      bigint NOT NULL,
    key_text    text NOT NULL,
    payload     bytea,
    version     integer NOT NULL CHECK (version > 0),
    modified_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (service, state_name, key_n0, key_n1, key_text)
);

INSERT INTO orleans.orleansquery (querykey, querytext) VALUES
-- No row in the answer means that the version was not the expected one.
('WriteToStorageKey', $q$
    WITH updated AS (
        UPDATE orleans.grain_state
        SET payload = @PayloadBinary, version = version + 1, modified_at = now()
        WHERE service = @ServiceId AND state_name = @GrainTypeString AND key_n0 = @GrainIdN0 AND key_n1 = @GrainIdN1
          AND key_text = coalesce(@GrainIdExtensionString, '') AND version = @GrainStateVersion
        RETURNING version),
    inserted AS (
        INSERT INTO orleans.grain_state (service, state_name, key_n0, key_n1, key_text, payload, version)
        SELECT @ServiceId, @GrainTypeString, @GrainIdN0, @GrainIdN1, coalesce(@GrainIdExtensionString, ''), @PayloadBinary, 1
        WHERE @GrainStateVersion IS NULL
        ON CONFLICT DO NOTHING
        RETURNING version)
    SELECT version AS NewGrainStateVersion FROM updated
    UNION ALL
    SELECT version FROM inserted
$q$),

('ReadFromStorageKey', $q$
    SELECT payload AS PayloadBinary, version AS Version
    FROM orleans.grain_state
    WHERE service = @ServiceId AND state_name = @GrainTypeString AND key_n0 = @GrainIdN0 AND key_n1 = @GrainIdN1
      AND key_text = coalesce(@GrainIdExtensionString, '')
$q$),

('ClearStorageKey', $q$
    UPDATE orleans.grain_state
    SET payload = NULL, version = version + 1, modified_at = now()
    WHERE service = @ServiceId AND state_name = @GrainTypeString AND key_n0 = @GrainIdN0 AND key_n1 = @GrainIdN1
      AND key_text = coalesce(@GrainIdExtensionString, '') AND version = @GrainStateVersion
    RETURNING version AS NewGrainStateVersion
$q$),

('DeleteStorageKey', $q$
    DELETE FROM orleans.grain_state
    WHERE service = @ServiceId AND state_name = @GrainTypeString AND key_n0 = @GrainIdN0 AND key_n1 = @GrainIdN1
      AND key_text = coalesce(@GrainIdExtensionString, '') AND version = @GrainStateVersion
    RETURNING version + 1 AS NewGrainStateVersion
$q$);

-- Reminders ------------------------------------------------------------------------------------------------------------------------

-- From a sequence, so that a reminder that was removed and registered again never has a version it has had before.
CREATE SEQUENCE orleans.reminder_version AS integer CYCLE;

CREATE TABLE orleans.reminder (
    service    text NOT NULL,
    grain      text NOT NULL,
    name       text NOT NULL,
    start_time timestamptz NOT NULL,
    period_ms  bigint NOT NULL,
    grain_hash integer NOT NULL,
    version    integer NOT NULL DEFAULT nextval('orleans.reminder_version'),
    PRIMARY KEY (service, grain, name)
);

CREATE INDEX reminder_by_hash ON orleans.reminder (service, grain_hash);

INSERT INTO orleans.orleansquery (querykey, querytext) VALUES
('UpsertReminderRowKey', $q$
    INSERT INTO orleans.reminder (service, grain, name, start_time, period_ms, grain_hash)
    VALUES (@ServiceId, @GrainId, @ReminderName, @StartTime, @Period, @GrainHash)
    ON CONFLICT (service, grain, name) DO UPDATE
    SET start_time = excluded.start_time, period_ms = excluded.period_ms, grain_hash = excluded.grain_hash, version = excluded.version
    RETURNING version AS Version
$q$),

('ReadReminderRowsKey', $q$
    SELECT grain AS GrainId, name AS ReminderName, start_time AS StartTime, period_ms AS Period, version AS Version
    FROM orleans.reminder
    WHERE service = @ServiceId AND grain = @GrainId
$q$),

('ReadReminderRowKey', $q$
    SELECT grain AS GrainId, name AS ReminderName, start_time AS StartTime, period_ms AS Period, version AS Version
    FROM orleans.reminder
    WHERE service = @ServiceId AND grain = @GrainId AND name = @ReminderName
$q$),

-- Ranges are (begin, end] on a ring of signed numbers; the second form is for those that go across its seam.
('ReadRangeRows1Key', $q$
    SELECT grain AS GrainId, name AS ReminderName, start_time AS StartTime, period_ms AS Period, version AS Version
    FROM orleans.reminder
    WHERE service = @ServiceId AND grain_hash > @BeginHash AND grain_hash <= @EndHash
$q$),

('ReadRangeRows2Key', $q$
    SELECT grain AS GrainId, name AS ReminderName, start_time AS StartTime, period_ms AS Period, version AS Version
    FROM orleans.reminder
    WHERE service = @ServiceId AND (grain_hash > @BeginHash OR grain_hash <= @EndHash)
$q$),

('DeleteReminderRowKey', $q$
    WITH gone AS (
        DELETE FROM orleans.reminder
        WHERE service = @ServiceId AND grain = @GrainId AND name = @ReminderName AND version = @Version
        RETURNING name)
    SELECT EXISTS (SELECT 1 FROM gone)
$q$),

('DeleteReminderRowsKey', $q$
    DELETE FROM orleans.reminder WHERE service = @ServiceId
$q$);
