-- How many jobs, counted no further than limit. Binds: type, limit.
SELECT count(*) AS jobs FROM (SELECT 1 FROM job INDEXED BY job_by_type WHERE type = @type LIMIT +@limit);
