-- In the transaction of the first claim. No change: it has started before. Binds: job_seq, now.
UPDATE job SET state = 'running', started_at = @now WHERE seq = @job_seq AND state = 'queued';
