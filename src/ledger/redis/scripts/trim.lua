-- Drops what Postgres has of a partition's stream.
--
-- KEYS   1 the stream
-- ARGV   1 the first id that stays
-- Reply  how many entries are left
redis.call('XTRIM', KEYS[1], 'MINID', ARGV[1])
return redis.call('XLEN', KEYS[1])
