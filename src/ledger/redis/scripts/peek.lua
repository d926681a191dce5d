-- Goods and lines as they are stored, for who audits. Nothing is ended by it.
--
-- KEYS   1 goods, 2 lines
-- ARGV   1 JSON: [sku, user or ""] each
-- Reply  JSON, per question [goods or false, line or false]
local answers = {}
for n, question in ipairs(cjson.decode(ARGV[1])) do
  local goods = redis.call('HGET', KEYS[1], question[1])
  local text = question[2] ~= '' and redis.call('HGET', KEYS[2], question[2])
  local book, line = text and cmsgpack.unpack(text) or {}, false
  for place = 1, #book, 2 do if book[place] == question[1] then line = book[place + 1] end end
  answers[n] = { goods and cmsgpack.unpack(goods) or false, line }
end
return cjson.encode(answers)
