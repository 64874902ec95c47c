-- A slice: a million at once would hold the manager for seconds. Binds: job_seq, limit, now.
UPDATE unit SET state = 'cancelled', finished_at = @now
WHERE seq IN (SELECT seq FROM unit INDEXED BY unit_available WHERE job_seq = @job_seq AND state = 'available' LIMIT +@limit);
