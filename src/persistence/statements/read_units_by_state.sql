-- A page in order of position, walking all units. Binds: job_id, states (JSON array), after_position, limit.
SELECT * FROM unit_snapshot
WHERE job_seq = (SELECT seq FROM job WHERE id = @job_id) AND position > @after_position
  AND state IN (SELECT value FROM json_each(@states))
ORDER BY position LIMIT +@limit;
