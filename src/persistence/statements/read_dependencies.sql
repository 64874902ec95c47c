-- Binds: job_id.
SELECT depends_on AS jobId, alias, condition, state FROM job_dependency
WHERE job_seq = (SELECT seq FROM job WHERE id = @job_id) ORDER BY depends_on;
