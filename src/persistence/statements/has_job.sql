-- Binds: job_id.
SELECT 1 AS found FROM job WHERE id = @job_id;
