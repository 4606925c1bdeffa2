-- A checkpoint is an operation, too: it stays on its host and at its epoch, which may be the first.

ALTER TABLE fabric.operation DROP CONSTRAINT operation_epoch_check;
ALTER TABLE fabric.operation ADD CONSTRAINT operation_epoch_check CHECK (epoch > CASE kind WHEN 'migrate' THEN 1 ELSE 0 END);
