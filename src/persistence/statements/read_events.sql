-- Binds: after_id, limit.
SELECT id, type, job_id, unit_id, data, created_at FROM event WHERE id > @after_id ORDER BY id LIMIT +@limit;
