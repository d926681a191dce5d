-- A partition has been found whole, if the server that has it is still the one under which it was looked at.
--
-- KEYS   1 the note
-- ARGV   1 that server's run id, 2 for how long the note counts, in ms
if string.match(redis.call('INFO', 'server'), 'run_id:(%w+)') == ARGV[1] then redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2]) end
return 1
