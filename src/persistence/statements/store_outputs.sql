-- Of completed units, before the state: whoever sees the end can read the result; no attempt will go on from the checkpoint.
-- Binds: outputs (JSON array of [unit_seq, output as text]).
UPDATE unit_payload SET output = ended.output, checkpoint = NULL
FROM (SELECT value ->> 0 AS unit_seq, value ->> 1 AS output FROM json_each(@outputs)) AS ended
WHERE unit_payload.unit_seq = ended.unit_seq;
