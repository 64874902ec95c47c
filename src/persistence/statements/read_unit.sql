-- Binds: unit_id.
SELECT * FROM unit_snapshot WHERE id = @unit_id;
