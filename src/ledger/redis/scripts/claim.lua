-- Says for some idempotency keys which SKU's partition has, or will have, their reply. A key that is claimed stays claimed for the first
-- fingerprint and SKU that it came with, until nobody who claimed it is left without a reply (`unclaim.lua`).
--
-- KEYS   the keys' own records, of one hash tag
-- ARGV   1 per key, as JSON: [sku, fingerprint]; 2 how long a claim stands, in ms
-- Reply  per key ["mine"], ["kept", reply] where a reply was kept that needed no SKU, or ["other", sku, fingerprint]
local replies = {}
for n, wish in ipairs(cjson.decode(ARGV[1])) do
  local text = redis.call('GET', KEYS[n])
  local claim = text and cmsgpack.unpack(text)
  if not claim then
    redis.call('SET', KEYS[n], cmsgpack.pack({ 'claim', wish[1], wish[2], 1 }), 'PX', ARGV[2])
    replies[n] = { 'mine' }
  elseif claim[1] == 'reply' then
    replies[n] = { 'kept', claim[2] }
  elseif claim[2] == wish[1] and claim[3] == wish[2] then
    claim[4] = claim[4] + 1
    redis.call('SET', KEYS[n], cmsgpack.pack(claim), 'PX', ARGV[2])
    replies[n] = { 'mine' }
  else
    replies[n] = { 'other', claim[2], claim[3] }
  end
end
return cjson.encode(replies)
