-- Many units without keys. Due with their job, on every clock. The trigger counts them.
-- Binds: units (JSON array of [id, limit_key, input as text]), job_seq, first_position.
INSERT INTO unit (id, job_seq, position, limit_key, available_at)
SELECT added.value ->> 0, @job_seq, @first_position + added.key, added.value ->> 1, 0
FROM json_each(@units) AS added;
