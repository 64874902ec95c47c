-- The same when there was never an event. Binds: event_id.
INSERT INTO sqlite_sequence (name, seq)
SELECT 'event', CAST(@event_id AS INTEGER) WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'event');
