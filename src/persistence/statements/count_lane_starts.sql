-- One for each unit just claimed. Binds: queue, key, unit_seqs (JSON array), now.
INSERT INTO lane_start (queue, key, started_at) SELECT @queue, @key, @now FROM json_each(@unit_seqs);
