-- How many jobs, counted no further than limit. Binds: queue, limit.
SELECT count(*) AS jobs FROM (SELECT 1 FROM job INDEXED BY job_by_queue WHERE queue = @queue LIMIT +@limit);
