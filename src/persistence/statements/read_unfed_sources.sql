-- Sources of a job that have not given everything. Binds: job_seq.
SELECT job_source.seq, job_source.job_seq, job_source.kind, job_source.spec, job_source.total, job_source.cursor,
       job_source.added, job_source.skipped, job_payload.options
FROM job_source CROSS JOIN job_payload ON job_payload.job_seq = job_source.job_seq
WHERE job_source.job_seq = @job_seq AND job_source.added + job_source.skipped < job_source.total
ORDER BY job_source.seq;
