-- Of the last attempt of units that completed or failed. Binds: job_id, limit.
SELECT unit.id AS unit_id, artifact.position, artifact.attempt, artifact.nonce, artifact.name, artifact.media_type,
       artifact.bytes, artifact.sha256
FROM artifact INDEXED BY artifact_of_job
CROSS JOIN unit ON unit.seq = artifact.unit_seq
WHERE artifact.job_seq = (SELECT seq FROM job WHERE id = @job_id)
  AND artifact.attempt = unit.attempt AND unit.state IN ('completed', 'failed')
ORDER BY artifact.position, artifact.name LIMIT +@limit;
