-- Binds: seq, words.
INSERT OR REPLACE INTO job_search (rowid, words) VALUES (CAST(@seq AS INTEGER), @words);
