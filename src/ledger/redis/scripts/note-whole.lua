-- A partition has been compared with Postgres, if the server that has it is still the one under which that began. From then on it is known, as long as
-- that server has it; after a time it is compared again, and meanwhile known all the same.
--
-- KEYS   1 the note: the run id, and until when (Unix seconds) nobody compares again
-- ARGV   1 that server's run id, 2 for how long nobody compares again, in seconds
if string.match(redis.call('INFO', 'server'), 'run_id:(%w+)') == ARGV[1] then
  redis.call('SET', KEYS[1], ARGV[1] .. ' ' .. string.format('%.0f', redis.call('TIME')[1] + ARGV[2]))
end
return 1
