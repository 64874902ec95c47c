-- Binds: job_seq, since (wall ms; null: it waits no more).
UPDATE job SET gpu_waits_since = @since WHERE seq = @job_seq AND finished_at IS NULL AND gpu_waits_since IS NOT @since;
