-- A job whose deletion has begun: whoever starts later goes on with it. Binds: job_id.
UPDATE job SET keep_until = 0 WHERE id = @job_id AND finished_at IS NOT NULL AND keep_until IS NOT 0;
