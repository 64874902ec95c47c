-- Units whose fence matches, with all that their end needs. Binds: ends (JSON array of [unit_id, attempt, nonce, worker_id]).
SELECT unit.seq, unit.id, unit.job_seq, unit.position, unit.attempt, unit.final_step, ended.key AS place
FROM json_each(@ends) AS ended
CROSS JOIN unit ON unit.id = ended.value ->> 0
WHERE unit.attempt = ended.value ->> 1 AND unit.nonce = ended.value ->> 2 AND unit.leased_by = ended.value ->> 3
  AND unit.state = 'running';
