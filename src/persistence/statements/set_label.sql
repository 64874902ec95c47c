-- Binds: job_seq, key, value.
INSERT INTO job_label (job_seq, key, value) VALUES (@job_seq, @key, @value)
ON CONFLICT (job_seq, key) DO UPDATE SET value = excluded.value;
