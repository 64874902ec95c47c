-- Kept output, artifacts, results and checkpoints of the next units, by seq. Binds: after_seq, limit.
SELECT max(slice.seq) AS last_seq, coalesce(sum(
  (SELECT coalesce(sum(max(0, output_bytes - dropped_bytes)), 0) FROM attempt WHERE attempt.unit_seq = slice.seq)
  + (SELECT coalesce(sum(artifact.bytes), 0) FROM artifact WHERE artifact.unit_seq = slice.seq)
  + (SELECT coalesce(octet_length(output), 0) + coalesce(octet_length(checkpoint), 0)
     FROM unit_payload WHERE unit_payload.unit_seq = slice.seq)), 0) AS bytes
FROM (SELECT seq FROM unit WHERE seq > @after_seq ORDER BY seq LIMIT +@limit) AS slice;
