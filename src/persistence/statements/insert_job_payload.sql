-- Binds: job_seq, params, options, context, final_step, work_hash.
INSERT INTO job_payload (job_seq, params, options, context, final_step, work_hash)
VALUES (@job_seq, @params, @options, @context, @final_step, @work_hash);
