-- Binds: job_seq.
SELECT final_step FROM job_payload WHERE job_seq = @job_seq;
