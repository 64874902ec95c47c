-- Once nothing can add a unit any more. No change: sealed before, kept open, or a source is open. Binds: job_seq, now.
UPDATE job SET sealed_at = @now
WHERE seq = @job_seq AND sealed_at IS NULL AND keep_open = 0 AND state IN ('queued', 'running')
  AND NOT EXISTS (SELECT 1 FROM job_source WHERE job_source.job_seq = job.seq AND done_at IS NULL);
