-- No row: none of the jobs is there. Binds: id_hash, principal, tool, until, since, ids (JSON), submitted, content_hash, now.
INSERT INTO task (id_hash, principal, tool, until, since, ids, job_count, submitted, content_hash, created_at)
SELECT @id_hash, @principal, @tool, @until, @since, @ids, known.jobs, @submitted, @content_hash, @now
FROM (SELECT count(*) AS jobs FROM json_each(@ids) AS asked JOIN job ON job.id = asked.value) AS known
WHERE known.jobs > 0;
