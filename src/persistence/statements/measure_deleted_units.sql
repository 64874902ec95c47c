-- What the next slice of a deletion frees. Binds: job_id, limit.
SELECT coalesce(sum(
  (SELECT coalesce(sum(max(0, output_bytes - dropped_bytes)), 0) FROM attempt WHERE attempt.unit_seq = slice.seq)
  + (SELECT coalesce(sum(artifact.bytes), 0) FROM artifact WHERE artifact.unit_seq = slice.seq)
  + (SELECT coalesce(octet_length(output), 0) + coalesce(octet_length(checkpoint), 0)
     FROM unit_payload WHERE unit_payload.unit_seq = slice.seq)), 0) AS bytes
FROM (SELECT unit.seq FROM unit JOIN job ON job.seq = unit.job_seq
      WHERE job.id = @job_id AND job.finished_at IS NOT NULL ORDER BY unit.position LIMIT +@limit) AS slice;
