-- Binds: unit_seqs (JSON array), reason (JSON).
INSERT INTO unit_gpu (unit_seq, fallback_reason) SELECT value, @reason FROM json_each(@unit_seqs) WHERE true
ON CONFLICT (unit_seq) DO UPDATE SET fallback_reason = excluded.fallback_reason;
