-- A page of a hash as it is stored, for who audits. Nothing is ended by it. A field can come twice while the hash grows or shrinks.
--
-- KEYS   1 the hash
-- ARGV   1 the cursor, "0" to begin, 2 about how many fields, 3 "packed" where the values are MessagePack, "text" where they are text
-- Reply  JSON: [cursor, [[field, value], ...]]; {} for no fields
local page = redis.call('HSCAN', KEYS[1], ARGV[1], 'COUNT', ARGV[2])
local rows = {}
for n = 1, #page[2], 2 do
  local value = page[2][n + 1]
  rows[#rows + 1] = { page[2][n], ARGV[3] == 'packed' and cmsgpack.unpack(value) or value }
end
return cjson.encode({ page[1], rows })
