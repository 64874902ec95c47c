-- Units whose newest attempt that ran and ended was lost. Binds: unit_ids (JSON array).
SELECT unit.id
FROM json_each(@unit_ids) AS wanted
CROSS JOIN unit ON unit.id = wanted.value
WHERE (SELECT attempt.outcome FROM attempt
       WHERE attempt.unit_seq = unit.seq AND attempt.outcome NOT IN ('running', 'released')
       ORDER BY attempt.attempt DESC LIMIT 1) = 'lost';
