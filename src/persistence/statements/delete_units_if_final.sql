-- A slice of the units of a final job, with all that hangs on them. Binds: job_id, limit.
DELETE FROM unit WHERE seq IN (
  SELECT unit.seq FROM unit JOIN job ON job.seq = unit.job_seq
  WHERE job.id = @job_id AND job.finished_at IS NOT NULL ORDER BY unit.position LIMIT +@limit);
