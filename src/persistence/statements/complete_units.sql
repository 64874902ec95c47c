-- Units whose fence was checked in this transaction. Binds: unit_seqs (JSON array), now.
UPDATE unit SET state = 'completed', finished_at = @now, leased_by = NULL, nonce = NULL
WHERE seq IN (SELECT value FROM json_each(@unit_seqs)) AND state = 'running';
