-- Restarts, leases, hosts that were declared dead, and the whole history of who owned what.

ALTER TABLE fabric.vm
    ADD COLUMN restart text NOT NULL DEFAULT 'Never' CHECK (restart IN ('Never', 'OnFailure')),
    ADD COLUMN restarts integer NOT NULL DEFAULT 0 CHECK (restarts >= 0),
    ADD COLUMN state_since timestamptz NOT NULL DEFAULT now(),
    -- What the disk is filed under: older than the epoch if the VM was started again in place and its disk has not been renamed yet.
    ADD COLUMN disk_epoch bigint,
    ADD COLUMN has_lease boolean NOT NULL GENERATED ALWAYS AS (coalesce((machine ->> 'hasLease')::boolean, false)) STORED,
    -- When another host may begin to count the margin. Its owner's peer counts for itself and is never later.
    ADD COLUMN lease_until timestamptz,
    -- What a VM was doing that nobody owns.
    ADD COLUMN lost_from text,
    DROP CONSTRAINT vm_state_check,
    ADD CONSTRAINT vm_state_check CHECK (state IN ('Starting', 'Booting', 'Running', 'Stopping', 'Stopped', 'Failed', 'Unknown', 'Lost')),
    ADD CONSTRAINT vm_lost_check CHECK ((state = 'Lost') = (lost_from IS NOT NULL));
UPDATE fabric.vm SET disk_epoch = epoch, state_since = owned_since;
ALTER TABLE fabric.vm ALTER COLUMN disk_epoch SET NOT NULL;

ALTER TABLE fabric.host ADD COLUMN declared_dead_at timestamptz;

ALTER TABLE fabric.ownership_history
    ALTER COLUMN host DROP NOT NULL,
    ADD COLUMN change text CHECK (change IN
        ('Created', 'Started', 'Stopped', 'Failed', 'Migrated', 'Restarted', 'FailedOver', 'DeclaredDead', 'Returned', 'Deleted')),
    ADD COLUMN reason text;
UPDATE fabric.ownership_history SET change = CASE WHEN operation IS NULL THEN 'Created' ELSE 'Migrated' END;
ALTER TABLE fabric.ownership_history ALTER COLUMN change SET NOT NULL;
