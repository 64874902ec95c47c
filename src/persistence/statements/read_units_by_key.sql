-- A page in order of position of the units with one of these keys. Binds: job_id, keys (JSON array), after_position, limit,
-- states (JSON array; null: any).
SELECT unit_snapshot.* FROM json_each(@keys) AS wanted
CROSS JOIN unit_snapshot ON unit_snapshot.key = wanted.value
WHERE job_seq = (SELECT seq FROM job WHERE id = @job_id) AND position > @after_position
  AND (@states IS NULL OR state IN (SELECT value FROM json_each(@states)))
ORDER BY position LIMIT +@limit;
