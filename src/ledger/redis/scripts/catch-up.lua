-- Lets a stream go on behind what Postgres has taken over of it. A stream gives ids by its server's clock; after a loss they could begin again below that,
-- by a clock that is behind the one before it, and such entries would never be read.
--
-- KEYS   1 the stream
-- ARGV   1 the last id that Postgres has
local newest = '0-0'
if redis.call('EXISTS', KEYS[1]) == 1 then
  local info = redis.call('XINFO', 'STREAM', KEYS[1])
  for n = 1, #info, 2 do if info[n] == 'last-generated-id' then newest = info[n + 1] end end
end
local function isBehind()
  local ms, n = string.match(newest, '(%d+)-(%d+)')
  local knownMs, knownN = string.match(ARGV[1], '(%d+)-(%d+)')
  ms, n, knownMs, knownN = tonumber(ms), tonumber(n), tonumber(knownMs), tonumber(knownN)
  return ms < knownMs or (ms == knownMs and n < knownN)
end
if not isBehind() then return 0 end
-- What a stream has given stays given when the entry goes.
redis.call('XADD', KEYS[1], ARGV[1], 'events', '[]')
redis.call('XDEL', KEYS[1], ARGV[1])
return 1
