-- In the transaction that moved the last unit. Binds: job_seq, state, error, event_id, now.
UPDATE job SET state = @state, error = @error, settled_event = @event_id, finished_at = @now
WHERE seq = @job_seq AND state IN ('queued', 'running');
