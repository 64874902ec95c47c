-- Of those units that have one. Binds: unit_ids (JSON array).
SELECT unit.id, unit_payload.checkpoint, unit_payload.checkpoint_format AS format
FROM json_each(@unit_ids) AS wanted
CROSS JOIN unit ON unit.id = wanted.value
CROSS JOIN unit_payload ON unit_payload.unit_seq = unit.seq
WHERE unit_payload.checkpoint IS NOT NULL;
