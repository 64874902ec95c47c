-- All, by name.
SELECT * FROM schedule ORDER BY name;
