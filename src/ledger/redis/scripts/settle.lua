-- The reply of a key where its SKU's partition keeps it. If there is none yet, the given one becomes it: whoever still wants to hold with this
-- key will find it. Without one it only looks.
--
-- KEYS   1 the kept reply
-- ARGV   1 the reply or "", 2 how long it is kept, in ms
-- Reply  the reply, or false
local kept = redis.call('GET', KEYS[1])
if kept or ARGV[1] == '' then return kept end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return ARGV[1]
