-- One process at a time looks at what Redis lacks. One that dies meanwhile is followed by another.
--
-- KEYS   1 the claim
-- ARGV   1 for how long, in ms
-- Reply  1 it is yours, 0 somebody else is at it
return redis.call('SET', KEYS[1], '1', 'NX', 'PX', ARGV[1]) and 1 or 0
