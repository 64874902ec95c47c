-- Fenced. The attempt goes on under another worker. Binds: unit_id, attempt, nonce, worker_id, new_worker_id.
UPDATE unit SET leased_by = @new_worker_id
WHERE id = @unit_id AND attempt = @attempt AND nonce = @nonce AND leased_by = @worker_id AND state = 'running'
RETURNING seq, (SELECT id FROM job WHERE job.seq = unit.job_seq) AS job_id;
