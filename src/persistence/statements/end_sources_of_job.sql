-- Nothing more is taken from them. Binds: job_seq, now.
UPDATE job_source SET done_at = @now WHERE job_seq = @job_seq AND done_at IS NULL;
