-- Limit keys of the available units of a job in order, each with the time of its first unit. One index probe a key, however
-- many units share it. Binds: job_seq, for_gpu (0/1), after_key (null: from the first), limit.
WITH RECURSIVE lane (limit_key, due) AS (
  SELECT * FROM (
    SELECT unit.limit_key, unit.available_at FROM unit INDEXED BY unit_available
    WHERE unit.job_seq = @job_seq AND unit.for_gpu = @for_gpu AND unit.state = 'available' AND unit.limit_key >= coalesce(@after_key, '')
      AND unit.limit_key IS NOT @after_key
    ORDER BY unit.limit_key, unit.available_at LIMIT 1)
  UNION ALL
  SELECT next.limit_key, next.available_at
  FROM lane CROSS JOIN unit AS next ON next.seq = (
    SELECT unit.seq FROM unit INDEXED BY unit_available
    WHERE unit.job_seq = @job_seq AND unit.for_gpu = @for_gpu AND unit.state = 'available' AND unit.limit_key > lane.limit_key
    ORDER BY unit.limit_key, unit.available_at LIMIT 1)
  LIMIT +@limit
)
SELECT limit_key, due FROM lane;
