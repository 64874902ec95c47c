-- Fenced. Available again at @retry_at while failures are left, else failed; a null @retry_at is never retried. A cancel
-- wins over a retry. Binds: unit_id, attempt, nonce, worker_id, retry_at, now.
UPDATE unit SET
  failures = failures + 1, leased_by = NULL, nonce = NULL,
  (state, available_at, finished_at) = (
    SELECT CASE
             WHEN job.cancel_requested_at IS NOT NULL THEN 'cancelled'
             WHEN @retry_at IS NOT NULL AND unit.failures + 1 < job.max_attempts THEN 'available'
             ELSE 'failed' END,
           coalesce(@retry_at, unit.available_at),
           CASE
             WHEN job.cancel_requested_at IS NULL AND @retry_at IS NOT NULL AND unit.failures + 1 < job.max_attempts THEN NULL
             ELSE @now END
    FROM job WHERE job.seq = unit.job_seq)
WHERE id = @unit_id AND attempt = @attempt AND nonce = @nonce AND leased_by = @worker_id AND state = 'running'
RETURNING seq, id, job_seq, position, key, limit_key, final_step, state, available_at, attempt, failures, crashes, finished_at;
