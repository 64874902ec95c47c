-- How many jobs, counted no further than limit. Binds: label_key, label_value, limit.
SELECT count(*) AS jobs FROM (SELECT 1 FROM job_label INDEXED BY job_label_value WHERE key = @label_key AND value = @label_value LIMIT +@limit);
