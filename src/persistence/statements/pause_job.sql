-- No row: unknown, final, cancelling, or paused like this before. Binds: job_id, freeze (0/1), now.
UPDATE job SET paused_at = coalesce(paused_at, @now), frozen_at = iif(@freeze, coalesce(frozen_at, @now), NULL)
WHERE id = @job_id AND state IN ('queued', 'running') AND cancel_requested_at IS NULL
  AND (paused_at IS NULL OR (frozen_at IS NOT NULL) <> @freeze)
RETURNING seq;
