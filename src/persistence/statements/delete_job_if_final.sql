-- Once its units are gone; its idempotency key stays. Binds: job_id.
DELETE FROM job
WHERE id = @job_id AND finished_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM unit WHERE unit.job_seq = job.seq);
