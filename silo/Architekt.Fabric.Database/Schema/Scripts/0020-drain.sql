-- A host may be closed to VMs. Emptying it is an operation, too: on a host, and each VM that leaves it is a migration of its own.

ALTER TABLE fabric.host ADD COLUMN cordoned boolean NOT NULL DEFAULT false;

ALTER TABLE fabric.operation ALTER COLUMN vm DROP NOT NULL;
ALTER TABLE fabric.operation ALTER COLUMN destination DROP NOT NULL;
ALTER TABLE fabric.operation ADD CONSTRAINT operation_object_check
    CHECK ((kind = 'drain') = (vm IS NULL) AND (kind = 'drain') = (destination IS NULL));
ALTER TABLE fabric.operation DROP CONSTRAINT operation_epoch_check;
ALTER TABLE fabric.operation ADD CONSTRAINT operation_epoch_check
    CHECK (epoch > CASE kind WHEN 'migrate' THEN 1 WHEN 'drain' THEN -1 ELSE 0 END);

-- What a drain must still know when its driver dies.
ALTER TABLE fabric.operation ADD COLUMN progress jsonb;

-- At most one drain runs per host. (operation_running lets any number of them be: their vm is null.)
CREATE UNIQUE INDEX drain_running ON fabric.operation (source) WHERE outcome = 'Running' AND kind = 'drain';
