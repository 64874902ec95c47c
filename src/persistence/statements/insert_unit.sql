-- The trigger counts it. Binds: id, job_seq, position, available_at.
INSERT INTO unit (id, job_seq, position, available_at) VALUES (@id, @job_seq, @position, @available_at);
