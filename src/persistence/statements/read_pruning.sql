-- Newest first. Binds: limit.
SELECT at, jobs, bytes, rule FROM pruning ORDER BY seq DESC LIMIT +@limit;
