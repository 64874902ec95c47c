-- Sources that may be fed, oldest first. A job that tests its first units gets no more until they were approved; a source that
-- has given everything may still be closed. Binds: limit.
SELECT job_source.seq, job_source.job_seq, job_source.kind, job_source.spec, job_source.total, job_source.cursor,
       job_source.added, job_source.skipped, job_payload.options
FROM job_source INDEXED BY job_source_open
CROSS JOIN job ON job.seq = job_source.job_seq
CROSS JOIN job_count ON job_count.job_seq = job_source.job_seq
CROSS JOIN job_payload ON job_payload.job_seq = job_source.job_seq
WHERE job_source.done_at IS NULL
  AND (job.test_units IS NULL OR job.decision IS NOT NULL OR job_count.total < job.test_units
       OR job_source.added + job_source.skipped >= job_source.total)
ORDER BY job_source.seq LIMIT +@limit;
