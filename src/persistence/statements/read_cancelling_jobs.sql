-- Unfinished jobs whose cancel was asked for and that have units left to cancel. Binds: limit.
SELECT job.id FROM job INDEXED BY job_cancelling
JOIN job_count ON job_count.job_seq = job.seq
WHERE job.cancel_requested_at IS NOT NULL AND job.finished_at IS NULL AND job_count.available > 0
ORDER BY job.seq LIMIT +@limit;
