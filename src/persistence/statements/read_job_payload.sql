-- Binds: job_id.
SELECT params, options FROM job_payload WHERE job_seq = (SELECT seq FROM job WHERE id = @job_id);
