-- Binds: unit_ids (JSON array).
SELECT unit.id, unit_payload.input
FROM json_each(@unit_ids) AS wanted
CROSS JOIN unit ON unit.id = wanted.value
CROSS JOIN unit_payload ON unit_payload.unit_seq = unit.seq;
