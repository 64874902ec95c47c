-- Binds: key.
SELECT content_hash, job_id, created_at FROM idempotency WHERE key = @key;
