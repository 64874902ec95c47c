-- Fenced. The processes are proven gone and left no exit status. Available again at @retry_at, unless a rerun is refused or
-- this was crash number @poison_limit. A cancel wins. Binds: unit_id, attempt, nonce, worker_id, may_rerun (0/1),
-- crash (0/1), poison_limit, retry_at, now.
UPDATE unit SET
  crashes = crashes + @crash, leased_by = NULL, nonce = NULL,
  (state, available_at, finished_at) = (
    SELECT CASE
             WHEN job.cancel_requested_at IS NOT NULL THEN 'cancelled'
             WHEN @may_rerun AND NOT (@crash AND unit.crashes + 1 >= @poison_limit) THEN 'available'
             ELSE 'failed' END,
           @retry_at,
           CASE
             WHEN job.cancel_requested_at IS NULL AND @may_rerun AND NOT (@crash AND unit.crashes + 1 >= @poison_limit) THEN NULL
             ELSE @now END
    FROM job WHERE job.seq = unit.job_seq)
WHERE id = @unit_id AND attempt = @attempt AND nonce = @nonce AND leased_by = @worker_id AND state = 'running'
RETURNING seq, id, job_seq, position, key, limit_key, final_step, state, available_at, attempt, failures, crashes, finished_at;
