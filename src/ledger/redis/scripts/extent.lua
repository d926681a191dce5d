-- How much a partition has of everything that must agree, at one moment.
--
-- KEYS   those of the partition, as `partition.lua` names them
-- Reply  [goods, names, sums, deadlines, order records, the stream's newest id, its entries, the server's time in ms]
local newest, length = '0-0', 0
if redis.call('EXISTS', KEYS[11]) == 1 then
  local info = redis.call('XINFO', 'STREAM', KEYS[11])
  for n = 1, #info, 2 do
    if info[n] == 'last-generated-id' then newest = info[n + 1] end
    if info[n] == 'length' then length = info[n + 1] end
  end
end
local time = redis.call('TIME')
return { redis.call('HLEN', KEYS[1]), redis.call('ZCARD', KEYS[8]), redis.call('HLEN', KEYS[4]), redis.call('ZCARD', KEYS[3]),
  redis.call('ZCARD', KEYS[9]), newest, length, string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000)) }
