-- Jobs run again from one, oldest first. Binds: job_id, limit.
SELECT * FROM job_snapshot WHERE rerun_of = @job_id ORDER BY seq LIMIT +@limit;
