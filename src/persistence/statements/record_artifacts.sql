-- Fenced. Binds: unit_id, attempt, nonce, worker_id, artifacts (JSON array of [name, media_type, bytes, sha256]).
INSERT INTO artifact (unit_seq, attempt, nonce, name, media_type, bytes, sha256, job_seq, position)
SELECT unit.seq, unit.attempt, unit.nonce, made.value ->> 0, made.value ->> 1, made.value ->> 2, made.value ->> 3,
       unit.job_seq, unit.position
FROM unit CROSS JOIN json_each(@artifacts) AS made
WHERE unit.id = @unit_id AND unit.attempt = @attempt AND unit.nonce = @nonce AND unit.leased_by = @worker_id
  AND unit.state = 'running'
ON CONFLICT (unit_seq, attempt, name) DO UPDATE SET media_type = excluded.media_type, bytes = excluded.bytes,
  sha256 = excluded.sha256;
