-- Jobs with an unfinished available unit, oldest first. Binds: after_seq, limit.
SELECT job.id AS job_id, job.seq, job.queue, job.type, job.priority,
       max(job.run_at, (SELECT min(available_at) FROM unit WHERE unit.job_seq = job.seq AND unit.state = 'available')) AS next_due_at
FROM job JOIN job_count ON job_count.job_seq = job.seq
WHERE job.seq IN (
    SELECT seq FROM (SELECT seq FROM job WHERE state = 'queued' AND seq > @after_seq)
    UNION ALL
    SELECT seq FROM (SELECT seq FROM job WHERE state = 'running' AND seq > @after_seq))
  AND job_count.available > 0
ORDER BY job.seq LIMIT @limit;
