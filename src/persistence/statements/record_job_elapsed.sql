-- Binds: job_id, elapsed_ms.
INSERT INTO job_clock (job_seq, elapsed_ms) SELECT seq, @elapsed_ms FROM job WHERE id = @job_id
ON CONFLICT (job_seq) DO UPDATE SET elapsed_ms = elapsed_ms + excluded.elapsed_ms;
