-- The newest job of a time, by local order. Binds: created_after, created_before (null: any).
SELECT max(seq) AS seq FROM job INDEXED BY job_created
WHERE created_at > coalesce(@created_after, -1) AND created_at < coalesce(@created_before, 9223372036854775807);
