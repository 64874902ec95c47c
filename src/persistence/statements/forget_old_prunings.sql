-- Binds: keep.
DELETE FROM pruning WHERE seq <= (SELECT max(seq) FROM pruning) - @keep;
