-- Once in the life of a database. Binds: instance_id, now.
INSERT INTO identity (only, instance_id, created_at) VALUES (1, @instance_id, @now);
