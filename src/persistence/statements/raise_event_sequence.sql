-- After a restored backup: ids that were given out before are never given again. Binds: event_id.
UPDATE sqlite_sequence SET seq = CAST(@event_id AS INTEGER) WHERE name = 'event' AND seq < @event_id;
