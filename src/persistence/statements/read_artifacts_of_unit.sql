-- Of its last attempt, when it completed or failed. Binds: job_id, unit_id, limit.
SELECT unit.id AS unit_id, artifact.position, artifact.attempt, artifact.nonce, artifact.name, artifact.media_type,
       artifact.bytes, artifact.sha256
FROM unit
CROSS JOIN artifact ON artifact.unit_seq = unit.seq AND artifact.attempt = unit.attempt
WHERE unit.id = @unit_id AND unit.job_seq = (SELECT seq FROM job WHERE id = @job_id)
  AND unit.state IN ('completed', 'failed')
ORDER BY artifact.name LIMIT +@limit;
