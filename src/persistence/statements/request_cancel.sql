-- No unit joins a job after this. No row: unknown, final, or asked for before; the caller reads which. Binds: job_id, reason, now.
UPDATE job SET cancel_requested_at = @now, cancel_reason = @reason, sealed_at = coalesce(sealed_at, @now)
WHERE id = @job_id AND state IN ('queued', 'running') AND cancel_requested_at IS NULL
RETURNING seq, final_step_state;
