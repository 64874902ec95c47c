-- Binds: unit_seq, input.
INSERT INTO unit_payload (unit_seq, input) VALUES (@unit_seq, @input);
