-- Forward only; what is acknowledged was shown. Binds: reader, event_id.
INSERT INTO watermark (reader, acknowledged, shown) VALUES (@reader, max(0, @event_id), max(0, @event_id))
ON CONFLICT (reader) DO UPDATE SET
  acknowledged = max(acknowledged, excluded.acknowledged), shown = max(shown, excluded.shown);
