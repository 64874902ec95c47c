-- A queue exists from its first job on. Binds: name, now.
INSERT INTO queue (name, created_at) VALUES (@name, @now) ON CONFLICT (name) DO NOTHING;
