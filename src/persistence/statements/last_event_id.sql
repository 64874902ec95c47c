-- The highest id ever given, pruned ones included; no row when there was never one.
SELECT seq FROM sqlite_sequence WHERE name = 'event';
