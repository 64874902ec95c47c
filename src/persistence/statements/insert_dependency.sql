-- A job that is final already is recorded as it ended. No row: it is waited for already. Binds: job_seq, depends_on, alias,
-- condition, now.
INSERT INTO job_dependency (job_seq, depends_on, alias, condition, state, done_at)
SELECT @job_seq, job.id, @alias, @condition, iif(job.finished_at IS NULL, NULL, job.state), iif(job.finished_at IS NULL, NULL, @now)
FROM job WHERE job.id = @depends_on
ON CONFLICT (job_seq, depends_on) DO NOTHING
RETURNING state;
