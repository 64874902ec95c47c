-- What a job still waits for. Binds: job_id.
SELECT depends_on FROM job_dependency WHERE job_seq = (SELECT seq FROM job WHERE id = @job_id) AND done_at IS NULL;
