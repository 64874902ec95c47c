-- How many jobs, counted no further than limit. Binds: created_after, created_before (null: any), limit.
SELECT count(*) AS jobs FROM (
  SELECT 1 FROM job INDEXED BY job_created
  WHERE created_at > coalesce(@created_after, -1) AND created_at < coalesce(@created_before, 9223372036854775807) LIMIT +@limit);
