-- Attempts of the next slice of a deletion. Binds: job_id, limit.
SELECT slice.id AS unitId, attempt.attempt, attempt.nonce
FROM (SELECT unit.seq, unit.id FROM unit JOIN job ON job.seq = unit.job_seq
      WHERE job.id = @job_id AND job.finished_at IS NOT NULL ORDER BY unit.position LIMIT +@limit) AS slice
JOIN attempt ON attempt.unit_seq = slice.seq;
