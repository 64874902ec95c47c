-- Binds: unit_id.
SELECT * FROM attempt WHERE unit_seq = (SELECT seq FROM unit WHERE id = @unit_id) ORDER BY attempt;
