-- Whether a partition is known to have all that it should: it was compared with Postgres under the server that has it now, and not too long ago. A server
-- that was started again, or that has taken over, has another run id; one that came back empty has no note at all.
--
-- KEYS   1 the note, as `note-whole.lua` writes it, 2 the stream
-- Reply  [1 or 0, the run id, the newest id that the stream has given ("0-0": none), how many entries are in it]
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
local newest, length = '0-0', 0
if redis.call('EXISTS', KEYS[2]) == 1 then
  local info = redis.call('XINFO', 'STREAM', KEYS[2])
  for n = 1, #info, 2 do
    if info[n] == 'last-generated-id' then newest = info[n + 1] end
    if info[n] == 'length' then length = info[n + 1] end
  end
end
local under, untilSeconds = string.match(redis.call('GET', KEYS[1]) or '', '(%w+) (%d+)')
local isWhole = under == run and tonumber(redis.call('TIME')[1]) < tonumber(untilSeconds)
return { isWhole and 1 or 0, run, newest, length }
