-- Fenced. A running unit of a job whose cancel was asked for has stopped; no row also when none was asked for.
-- Binds: unit_id, attempt, nonce, worker_id, now.
UPDATE unit SET state = 'cancelled', finished_at = @now, leased_by = NULL, nonce = NULL
WHERE id = @unit_id AND attempt = @attempt AND nonce = @nonce AND leased_by = @worker_id AND state = 'running'
  AND EXISTS (SELECT 1 FROM job WHERE job.seq = unit.job_seq AND job.cancel_requested_at IS NOT NULL)
RETURNING seq, id, job_seq, position, key, limit_key, final_step, state, available_at, attempt, failures, crashes, finished_at;
