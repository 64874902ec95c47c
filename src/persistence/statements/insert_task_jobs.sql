-- Those of the ids that are jobs, in their order. Binds: task_seq, ids (JSON).
INSERT INTO task_job (task_seq, position, job_seq)
SELECT @task_seq, asked.key, job.seq FROM json_each(@ids) AS asked JOIN job ON job.id = asked.value;
