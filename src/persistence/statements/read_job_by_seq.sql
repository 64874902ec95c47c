-- Binds: job_seq.
SELECT * FROM job_snapshot WHERE seq = @job_seq;
