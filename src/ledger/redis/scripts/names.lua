-- A page of names in the order of their bytes.
--
-- KEYS   1 a sorted set in which all scores are 0
-- ARGV   1 where to begin, as ZRANGEBYLEX wants it, 2 how many at most
return redis.call('ZRANGEBYLEX', KEYS[1], ARGV[1], '+', 'LIMIT', 0, ARGV[2])
