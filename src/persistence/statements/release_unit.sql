-- Fenced. Give a unit back unharmed: nothing is counted. A cancel wins. Binds: unit_id, attempt, nonce, worker_id, now.
UPDATE unit SET
  leased_by = NULL, nonce = NULL,
  (state, available_at, finished_at) = (
    SELECT iif(job.cancel_requested_at IS NULL, 'available', 'cancelled'), @now, iif(job.cancel_requested_at IS NULL, NULL, @now)
    FROM job WHERE job.seq = unit.job_seq)
WHERE id = @unit_id AND attempt = @attempt AND nonce = @nonce AND leased_by = @worker_id AND state = 'running'
RETURNING seq, id, job_seq, position, state, available_at, attempt, failures, crashes, finished_at;
