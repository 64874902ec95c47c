-- Fenced: no row means the attempt was lost and its output must be dropped. Binds: unit_id, attempt, nonce, worker_id, now.
UPDATE unit SET state = 'completed', finished_at = @now, leased_by = NULL, nonce = NULL
WHERE id = @unit_id AND attempt = @attempt AND nonce = @nonce AND leased_by = @worker_id AND state = 'running'
RETURNING seq, id, job_seq, position, key, limit_key, final_step, state, available_at, attempt, failures, crashes, finished_at;
