-- Binds: job_id.
SELECT params, options, context, final_step, work_hash FROM job_payload WHERE job_seq = (SELECT seq FROM job WHERE id = @job_id);
