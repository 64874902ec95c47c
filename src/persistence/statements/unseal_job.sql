-- A source was added. Binds: job_seq.
UPDATE job SET sealed_at = NULL WHERE seq = @job_seq AND state IN ('queued', 'running') AND sealed_at IS NOT NULL;
