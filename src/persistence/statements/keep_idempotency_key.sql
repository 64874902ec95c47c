-- No change: the key is taken; read who holds it. Binds: key, content_hash, job_id, now.
INSERT INTO idempotency (key, content_hash, job_id, created_at) VALUES (@key, @content_hash, @job_id, @now)
ON CONFLICT (key) DO NOTHING;
