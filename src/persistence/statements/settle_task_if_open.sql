-- Binds: id_hash, principal, outcome, now.
UPDATE task SET settled_at = @now, outcome = @outcome
WHERE id_hash = @id_hash AND principal = @principal AND settled_at IS NULL AND cancelled_at IS NULL;
