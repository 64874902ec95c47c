-- Jobs that wait for a job. Binds: job_id.
SELECT job_dependency.job_seq, job_dependency.condition, job.id, job.finished_at
FROM job_dependency JOIN job ON job.seq = job_dependency.job_seq
WHERE job_dependency.depends_on = @job_id AND job_dependency.done_at IS NULL
ORDER BY job_dependency.job_seq;
