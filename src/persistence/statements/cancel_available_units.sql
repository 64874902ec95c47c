-- Binds: job_seq, now.
UPDATE unit SET state = 'cancelled', finished_at = @now WHERE job_seq = @job_seq AND state = 'available';
