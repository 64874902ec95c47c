-- Of units that were just inserted by one statement: their rows follow each other. Binds: units (as there), first_seq.
INSERT INTO unit_payload (unit_seq, input)
SELECT @first_seq + added.key, added.value ->> 2 FROM json_each(@units) AS added;
