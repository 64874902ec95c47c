-- Its runs go with it, its jobs stay. Binds: schedule_id.
DELETE FROM schedule WHERE id = @schedule_id;
