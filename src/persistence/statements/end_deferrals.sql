-- Units of a queue that were told to slow down are due at once. Binds: queue, now.
UPDATE unit SET available_at = @now
WHERE seq IN (
  SELECT unit.seq
  FROM job INDEXED BY job_by_state
  CROSS JOIN unit INDEXED BY unit_available ON unit.job_seq = job.seq AND unit.state = 'available'
  CROSS JOIN attempt ON attempt.unit_seq = unit.seq AND attempt.attempt = unit.attempt
  WHERE job.state = 'running' AND job.queue = @queue
    AND unit.available_at > @now AND attempt.outcome = 'rate_limited');
