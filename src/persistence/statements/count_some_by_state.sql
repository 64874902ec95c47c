-- How many jobs, counted no further than limit. Binds: state, limit.
SELECT count(*) AS jobs FROM (SELECT 1 FROM job INDEXED BY job_by_state WHERE state = @state LIMIT +@limit);
