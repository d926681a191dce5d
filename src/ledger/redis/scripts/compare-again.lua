-- Somebody has seen that a partition lacks something: it is compared with Postgres at the next look. Meanwhile it is known as before.
--
-- KEYS   1 the note, as `note-whole.lua` writes it
local note = redis.call('GET', KEYS[1])
if note then redis.call('SET', KEYS[1], string.sub(note, 1, 40) .. ' 0') end
return 1
