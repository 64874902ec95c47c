-- A job has ended; whoever waits for it is told how. Binds: job_id, state, now.
UPDATE job_dependency SET state = @state, done_at = @now WHERE depends_on = @job_id AND done_at IS NULL;
