-- Binds: seq, words.
INSERT INTO job_search (rowid, words) VALUES (CAST(@seq AS INTEGER), @words);
