-- Binds: unit_id.
SELECT input, output FROM unit_payload WHERE unit_seq = (SELECT seq FROM unit WHERE id = @unit_id);
