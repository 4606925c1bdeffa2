-- An epoch is given out once, to an owner or to an operation that may make one: a reservation that is withdrawn does not give its epoch back.

ALTER TABLE fabric.vm ADD COLUMN last_epoch bigint;
UPDATE fabric.vm AS v SET last_epoch = greatest(
    v.epoch + CASE WHEN v.reserved_by IS NULL THEN 0 ELSE 1 END,
    (SELECT max(o.epoch) FROM fabric.operation AS o WHERE o.vm = v.name),
    (SELECT max(h.epoch) FROM fabric.ownership_history AS h WHERE h.vm = v.name));
ALTER TABLE fabric.vm
    ALTER COLUMN last_epoch SET NOT NULL,
    ADD CONSTRAINT vm_last_epoch_check CHECK (last_epoch >= epoch);
