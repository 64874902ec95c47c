-- Binds: job_seq, params, options.
INSERT INTO job_payload (job_seq, params, options) VALUES (@job_seq, @params, @options);
