-- Binds: job_id.
SELECT elapsed_ms FROM job_clock WHERE job_seq = (SELECT seq FROM job WHERE id = @job_id);
