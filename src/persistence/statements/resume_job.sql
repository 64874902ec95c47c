-- No row: unknown, final, cancelling, or not paused. Binds: job_id.
UPDATE job SET paused_at = NULL, frozen_at = NULL
WHERE id = @job_id AND state IN ('queued', 'running') AND cancel_requested_at IS NULL
  AND (paused_at IS NOT NULL OR frozen_at IS NOT NULL)
RETURNING seq;
