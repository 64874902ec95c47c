-- Of those units that came back from a GPU worker, or fell back while they waited. Binds: unit_ids (JSON array).
SELECT unit.id, unit_gpu.restarts, unit_gpu.fallback_reason
FROM json_each(@unit_ids) AS wanted
CROSS JOIN unit ON unit.id = wanted.value
CROSS JOIN unit_gpu ON unit_gpu.unit_seq = unit.seq;
