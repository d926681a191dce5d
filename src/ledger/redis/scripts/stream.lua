-- A piece of a partition's stream.
--
-- KEYS   1 the stream
-- ARGV   1 the id behind which to begin, 2 how many entries at most
-- Reply  [id, events as JSON, id, events, ...]
local piece = {}
for _, entry in ipairs(redis.call('XRANGE', KEYS[1], '(' .. ARGV[1], '+', 'COUNT', ARGV[2])) do
  piece[#piece + 1] = entry[1]
  piece[#piece + 1] = entry[2][2]
end
return piece
