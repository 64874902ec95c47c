-- Binds: job_seq, name, priority, run_at, concurrency, keep_open (0/1).
UPDATE job SET name = @name, priority = @priority, run_at = @run_at, concurrency = @concurrency, keep_open = @keep_open
WHERE seq = @job_seq AND state IN ('queued', 'running');
