-- Due with its job, on every clock. The trigger counts it. No change: the job has a unit of that key.
-- Binds: id, job_seq, position, key, limit_key, final_step (0/1), for_gpu (0/1).
INSERT INTO unit (id, job_seq, position, key, limit_key, final_step, for_gpu, available_at)
VALUES (@id, @job_seq, @position, @key, @limit_key, @final_step, @for_gpu, 0)
ON CONFLICT (job_seq, key) WHERE key IS NOT NULL DO NOTHING;
