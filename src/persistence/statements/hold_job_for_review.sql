-- The test units of a job have ended. Binds: job_seq, now.
UPDATE job SET held_at = @now, hold_kind = 'review' WHERE seq = @job_seq AND held_at IS NULL;
