-- Kept output, artifacts, results and checkpoints of some jobs. Binds: ids (JSON array).
SELECT coalesce(sum(
  (SELECT coalesce(sum(max(0, output_bytes - dropped_bytes)), 0) FROM attempt WHERE attempt.unit_seq = unit.seq)
  + (SELECT coalesce(sum(artifact.bytes), 0) FROM artifact WHERE artifact.unit_seq = unit.seq)
  + (SELECT coalesce(octet_length(output), 0) + coalesce(octet_length(checkpoint), 0)
     FROM unit_payload WHERE unit_payload.unit_seq = unit.seq)), 0) AS bytes
FROM json_each(@ids) AS wanted JOIN job ON job.id = wanted.value JOIN unit ON unit.job_seq = job.seq;
