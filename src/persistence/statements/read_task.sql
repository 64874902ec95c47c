-- With the ids of its jobs that are left, as a JSON array in their order. Binds: id_hash, principal.
SELECT task.tool, task.until, task.since, task.ids, task.job_count, task.submitted, task.created_at, task.cancelled_at,
       task.settled_at, task.outcome,
       (SELECT json_group_array(job.id ORDER BY task_job.position)
        FROM task_job JOIN job ON job.seq = task_job.job_seq WHERE task_job.task_seq = task.seq) AS job_ids
FROM task WHERE id_hash = @id_hash AND principal = @principal;
