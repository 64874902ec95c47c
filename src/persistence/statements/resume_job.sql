-- No row: unknown, final, cancelling, or not paused. While it was paused it did not wait for a GPU worker: that begins anew.
-- Binds: job_id.
UPDATE job SET paused_at = NULL, frozen_at = NULL, gpu_waits_since = NULL
WHERE id = @job_id AND state IN ('queued', 'running') AND cancel_requested_at IS NULL
  AND (paused_at IS NOT NULL OR frozen_at IS NOT NULL)
RETURNING seq;
