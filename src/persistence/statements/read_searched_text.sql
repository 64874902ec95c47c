-- Everything a job is found by. Binds: job_seq.
SELECT job_snapshot.name, job_snapshot.type, job_snapshot.labels, job_snapshot.error, job_payload.params
FROM job_snapshot JOIN job_payload ON job_payload.job_seq = job_snapshot.seq WHERE job_snapshot.seq = @job_seq;
