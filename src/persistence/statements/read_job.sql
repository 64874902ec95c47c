-- Binds: job_id.
SELECT * FROM job_snapshot WHERE id = @job_id;
