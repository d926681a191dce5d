-- Goods and lines as they are stored, for who audits. Nothing is ended by it.
--
-- KEYS   1 goods, 2 lines
-- ARGV   1 JSON: [sku, user or ""] each
-- Reply  JSON, per question [goods or false, line or false]
local answers = {}
for n, question in ipairs(cjson.decode(ARGV[1])) do
  local goods = redis.call('HGET', KEYS[1], question[1])
  local line = question[2] ~= '' and redis.call('HGET', KEYS[2], question[1] .. '\n' .. question[2])
  answers[n] = { goods and cmsgpack.unpack(goods) or false, line and cmsgpack.unpack(line) or false }
end
return cjson.encode(answers)
