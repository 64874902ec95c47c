-- A page in order of position. Binds: job_id, after_position, limit.
SELECT * FROM unit_snapshot
WHERE job_seq = (SELECT seq FROM job WHERE id = @job_id) AND state = 'failed' AND position > @after_position
ORDER BY position LIMIT +@limit;
