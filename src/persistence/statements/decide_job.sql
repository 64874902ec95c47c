-- Binds: job_id, decision, by, now.
UPDATE job SET decision = @decision, decided_at = @now, decided_by = @by, held_at = NULL, hold_kind = NULL
WHERE id = @job_id AND state IN ('queued', 'running') AND held_at IS NOT NULL AND cancel_requested_at IS NULL
RETURNING seq;
