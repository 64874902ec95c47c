-- Binds: job_seq.
SELECT params FROM job_payload WHERE job_seq = @job_seq;
