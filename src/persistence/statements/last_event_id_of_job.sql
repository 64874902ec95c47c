-- The newest kept event of a job; null when none is kept. Binds: job_id.
SELECT max(id) AS id FROM event WHERE job_id = @job_id;
