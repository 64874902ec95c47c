-- Fenced. As release_unit, and says where the unit is to run next. A cancel wins.
-- Binds: unit_id, attempt, nonce, worker_id, for_gpu (0/1), available_at, now.
UPDATE unit SET
  leased_by = NULL, nonce = NULL, for_gpu = @for_gpu,
  (state, available_at, finished_at) = (
    SELECT iif(job.cancel_requested_at IS NULL, 'available', 'cancelled'), @available_at, iif(job.cancel_requested_at IS NULL, NULL, @now)
    FROM job WHERE job.seq = unit.job_seq)
WHERE id = @unit_id AND attempt = @attempt AND nonce = @nonce AND leased_by = @worker_id AND state = 'running'
RETURNING seq, id, job_seq, position, key, limit_key, final_step, state, available_at, attempt, failures, crashes, finished_at;
