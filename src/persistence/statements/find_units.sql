-- Those of some unit ids that exist. Binds: ids (JSON array).
SELECT value AS id FROM json_each(@ids) WHERE EXISTS (SELECT 1 FROM unit WHERE unit.id = value);
