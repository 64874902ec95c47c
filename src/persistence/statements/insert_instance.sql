-- Once in the life of a database, and once more when it is found in a copy of its state directory. Binds: instance_id, now.
INSERT INTO identity (only, instance_id, created_at) VALUES (1, @instance_id, @now)
ON CONFLICT (only) DO UPDATE SET instance_id = excluded.instance_id;
