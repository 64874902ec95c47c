-- Jobs whose deletion has begun and not ended. Binds: limit.
SELECT id FROM job WHERE keep_until = 0 ORDER BY seq LIMIT +@limit;
