-- Gives claims up for which no reply was kept (`not-started`). The last one to do so frees the key.
--
-- KEYS   the keys' own records, of one hash tag
for _, key in ipairs(KEYS) do
  local text = redis.call('GET', key)
  local claim = text and cmsgpack.unpack(text)
  if claim and claim[1] == 'claim' then
    claim[4] = claim[4] - 1
    if claim[4] == 0 then redis.call('DEL', key) else redis.call('SET', key, cmsgpack.pack(claim), 'KEEPTTL') end
  end
end
return 0
