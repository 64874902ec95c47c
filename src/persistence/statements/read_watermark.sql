-- Binds: reader.
SELECT acknowledged, shown FROM watermark WHERE reader = @reader;
