-- A piece of a partition's stream.
--
-- KEYS   1 the stream
-- ARGV   1 the id behind which to begin, 2 how many entries at most
-- Reply  [id, text, how many, when, id, ...]: holds that are told together, so many and when; or events as JSON, 0 and 0
local piece = {}
for _, entry in ipairs(redis.call('XRANGE', KEYS[1], '(' .. ARGV[1], '+', 'COUNT', ARGV[2])) do
  local id, fields = entry[1], entry[2]
  local n = #piece
  piece[n + 1], piece[n + 2], piece[n + 3], piece[n + 4] = id, fields[2], fields[4] or '0', fields[6] or '0'
end
return piece
