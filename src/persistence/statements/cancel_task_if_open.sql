-- Binds: id_hash, principal, now.
UPDATE task SET cancelled_at = @now
WHERE id_hash = @id_hash AND principal = @principal AND settled_at IS NULL AND cancelled_at IS NULL;
