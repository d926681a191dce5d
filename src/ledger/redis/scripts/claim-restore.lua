-- One process at a time looks at what Redis lacks. One that dies meanwhile is followed by another; what was begun under another server counts for nothing.
--
-- KEYS   1 the claim
-- ARGV   1 for how long, in ms
-- Reply  1 it is yours, 0 somebody else is at it
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
if redis.call('GET', KEYS[1]) == run then return 0 end
redis.call('SET', KEYS[1], run, 'PX', ARGV[1])
return 1
