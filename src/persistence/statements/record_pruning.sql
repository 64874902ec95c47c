-- Binds: at, jobs, bytes, rule.
INSERT INTO pruning (at, jobs, bytes, rule) VALUES (@at, @jobs, @bytes, @rule);
