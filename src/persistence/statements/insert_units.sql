-- Many units without keys. Due with their job, on every clock. The trigger counts them.
-- Binds: units (JSON array of [id, limit_key, input as text]), job_seq, for_gpu (0/1), first_position.
INSERT INTO unit (id, job_seq, position, limit_key, for_gpu, available_at)
SELECT added.value ->> 0, @job_seq, @first_position + added.key, added.value ->> 1, @for_gpu, 0
FROM json_each(@units) AS added;
