-- The last of the next works in order of their hash; null: none follow. Binds: after_hash, limit.
SELECT max(work_hash) AS last_hash
FROM (SELECT work_hash FROM duration WHERE work_hash > @after_hash ORDER BY work_hash LIMIT +@limit);
