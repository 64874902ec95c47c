-- Attempts just opened here, of units that a GPU worker could not run. Binds: unit_seqs (JSON array).
UPDATE attempt SET mode = 'local (gpu fallback)', fallback_reason = unit_gpu.fallback_reason
FROM json_each(@unit_seqs) AS claimed
CROSS JOIN unit ON unit.seq = claimed.value
CROSS JOIN unit_gpu ON unit_gpu.unit_seq = unit.seq
WHERE attempt.unit_seq = unit.seq AND attempt.attempt = unit.attempt AND unit_gpu.fallback_reason IS NOT NULL;
