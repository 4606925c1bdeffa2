-- The truth about hosts, VMs, who owns them, operations, and the record of what happened.
-- Transactions lock in the order vm, operation, event.

CREATE SCHEMA IF NOT EXISTS fabric;

CREATE TABLE fabric.host (
    name                  text PRIMARY KEY,
    address               text NOT NULL,
    vcpus                 integer NOT NULL CHECK (vcpus >= 0),
    memory_bytes          bigint NOT NULL CHECK (memory_bytes >= 0),
    accelerator           text NOT NULL,
    qemu_version          text NOT NULL,
    kernel                text NOT NULL,
    live_migration        boolean NOT NULL,
    live_migration_reason text,
    version               text NOT NULL,
    last_seen             timestamptz NOT NULL
);

CREATE TABLE fabric.operation (
    id          text PRIMARY KEY,
    kind        text NOT NULL,
    vm          text NOT NULL,
    source      text NOT NULL,
    destination text NOT NULL,
    epoch       bigint NOT NULL CHECK (epoch > 1),
    phase       text NOT NULL CHECK (phase IN
        ('Check', 'Prepare', 'Copy', 'Suspend', 'Switch', 'Commit', 'Run', 'Clean', 'RollBack', 'Done')),
    outcome     text NOT NULL CHECK (outcome IN ('Running', 'Succeeded', 'Failed', 'Cancelled')),
    reason      text,
    plan        jsonb NOT NULL,
    result      jsonb,
    started_at  timestamptz NOT NULL,
    ended_at    timestamptz,
    CHECK ((outcome = 'Running') = (ended_at IS NULL)),
    CHECK ((outcome = 'Running') = (result IS NULL))
);

-- At most one operation runs per VM.
CREATE UNIQUE INDEX operation_running ON fabric.operation (vm) WHERE outcome = 'Running';
CREATE INDEX operation_by_vm ON fabric.operation (vm, started_at DESC);
CREATE INDEX operation_by_start ON fabric.operation (started_at DESC);

-- No reference to fabric.host: a host may own VMs before its first report, and the commit of a migration should check nothing it need not.
CREATE TABLE fabric.vm (
    name         text PRIMARY KEY,
    host         text NOT NULL,
    epoch        bigint NOT NULL CHECK (epoch > 0),
    state        text NOT NULL CHECK (state IN ('Starting', 'Booting', 'Running', 'Stopping', 'Stopped', 'Failed', 'Unknown')),
    reason       text,
    machine      jsonb NOT NULL,
    memory_bytes bigint NOT NULL GENERATED ALWAYS AS ((machine ->> 'memoryBytes')::bigint) STORED CHECK (memory_bytes >= 0),
    created_at   timestamptz NOT NULL,
    owned_since  timestamptz NOT NULL,
    -- The operation that holds the right to epoch + 1; whoever clears this has made that epoch's commit impossible.
    reserved_by  text REFERENCES fabric.operation (id)
);

CREATE INDEX vm_by_host ON fabric.vm (host);

-- Who owned what since when, VMs that are gone included; a name that is used again has its epochs again.
CREATE TABLE fabric.ownership_history (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    vm        text NOT NULL,
    epoch     bigint NOT NULL,
    host      text NOT NULL,
    operation text REFERENCES fabric.operation (id),
    since     timestamptz NOT NULL
);

CREATE INDEX ownership_history_by_vm ON fabric.ownership_history (vm, id);
-- An operation commits once at most; this is also how an unknown commit is looked up.
CREATE UNIQUE INDEX ownership_history_by_operation ON fabric.ownership_history (operation) WHERE operation IS NOT NULL;

CREATE TABLE fabric.event (
    sequence  bigint PRIMARY KEY,
    at        timestamptz NOT NULL DEFAULT now(),
    kind      text NOT NULL,
    vm        text,
    host      text,
    operation text,
    epoch     bigint,
    message   text NOT NULL
);

-- How a reader that goes by sequence misses nothing.
--
-- A transaction gets its sequence early and becomes visible late: number 7 may be visible while 6 is not yet, and a reader that
-- has gone on from 7 would never see 6. Serialising the writers would cure it, and make the commit of a migration, for which a
-- guest stands still, wait for the disk of everybody else's. Instead, a writer announces itself before it takes its number, and a
-- reader stops short of the oldest one under way:
--   writer:  L = last number given;  shared advisory lock on (tag, L), held to the end of the transaction;  n = next number, n > L.
--   reader:  B = last number given;  M = smallest L anyone holds;  only then a snapshot, of which it takes rows up to min(B, M).
-- A writer with n <= B took its lock before B was read. If it still holds the lock, M <= L < n keeps it and all after it back; if not,
-- its transaction has ended and the later snapshot shows it. A writer with n > B is beyond the bound either way.
-- What a stuck transaction would hold back is limited by the sessions' idle_in_transaction_session_timeout.
CREATE SEQUENCE fabric.event_sequence MINVALUE 0;
SELECT setval('fabric.event_sequence', 0, true);

CREATE FUNCTION fabric.event_tag() RETURNS bigint LANGUAGE sql IMMUTABLE AS $f$ SELECT x'4646000000000000'::bigint $f$;

CREATE FUNCTION fabric.take_event_sequence() RETURNS trigger LANGUAGE plpgsql AS $f$
DECLARE
    last bigint;
BEGIN
    SELECT last_value INTO last FROM fabric.event_sequence;
    PERFORM pg_advisory_xact_lock_shared(fabric.event_tag() | last);
    NEW.sequence := nextval('fabric.event_sequence');
    RETURN NEW;
END
$f$;

CREATE TRIGGER event_takes_sequence BEFORE INSERT ON fabric.event
    FOR EACH ROW EXECUTE FUNCTION fabric.take_event_sequence();

-- Must be called in a statement of its own before the one that reads: the reading snapshot has to be the later one.
CREATE FUNCTION fabric.event_horizon() RETURNS bigint LANGUAGE plpgsql VOLATILE AS $f$
DECLARE
    bound bigint;
    oldest bigint;
BEGIN
    SELECT last_value INTO bound FROM fabric.event_sequence;
    SELECT min(((l.classid::bigint & x'ffff'::bigint) << 32) | l.objid::bigint) INTO oldest
    FROM pg_locks AS l
    WHERE l.locktype = 'advisory' AND l.objsubid = 1 AND l.granted
      AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND (l.classid::bigint >> 16) = (fabric.event_tag() >> 48);
    RETURN least(bound, coalesce(oldest, bound));
END
$f$;
