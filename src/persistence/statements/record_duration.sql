-- How long the last attempt of a job of one unit ran; nothing for work that is not compared. The newest 20 are kept.
-- Binds: job_seq, now.
INSERT INTO duration (work_hash, samples_ms, updated_at)
SELECT job_payload.work_hash, json_array(attempt.elapsed_ms), @now
FROM job_payload
JOIN unit ON unit.job_seq = job_payload.job_seq AND unit.final_step = 0
JOIN attempt ON attempt.unit_seq = unit.seq AND attempt.attempt = unit.attempt
WHERE job_payload.job_seq = @job_seq AND job_payload.work_hash IS NOT NULL
ON CONFLICT (work_hash) DO UPDATE SET
  samples_ms = json_insert(iif(json_array_length(samples_ms) < 20, samples_ms, json_remove(samples_ms, '$[0]')),
                           '$[#]', excluded.samples_ms ->> 0),
  updated_at = excluded.updated_at;
