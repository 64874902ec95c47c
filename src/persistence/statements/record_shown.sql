-- Forward only. Binds: reader, event_id.
INSERT INTO watermark (reader, shown) VALUES (@reader, max(0, @event_id))
ON CONFLICT (reader) DO UPDATE SET shown = max(shown, excluded.shown);
