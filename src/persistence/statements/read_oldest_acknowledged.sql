-- Up to which event everybody who reads news has acknowledged; null: nobody ever read.
SELECT min(acknowledged) AS acknowledged FROM watermark;
