-- The instance this database belongs to; no row in a new database.
SELECT instance_id FROM identity WHERE only = 1;
