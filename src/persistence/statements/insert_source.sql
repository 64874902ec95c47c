-- Binds: job_seq, kind, spec, total.
INSERT INTO job_source (job_seq, kind, spec, total) VALUES (@job_seq, @kind, @spec, @total);
