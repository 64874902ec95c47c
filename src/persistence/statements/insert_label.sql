-- Binds: job_seq, key, value.
INSERT INTO job_label (job_seq, key, value) VALUES (@job_seq, @key, @value);
