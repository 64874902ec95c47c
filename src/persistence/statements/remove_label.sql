-- Binds: job_seq, key.
DELETE FROM job_label WHERE job_seq = @job_seq AND key = @key;
