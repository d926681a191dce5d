-- Keeps a reply that was given without a hold, unless the key has one or is claimed. Without a reply it only looks.
--
-- KEYS   1 the key's own record
-- ARGV   1 the reply or "", 2 how long it is kept, in ms
-- Reply  ["kept", the reply that the key has now], ["claimed", sku] where it is to be found, or ["free"]
local text = redis.call('GET', KEYS[1])
local claim = text and cmsgpack.unpack(text)
if not claim then
  if ARGV[1] == '' then return { 'free' } end
  redis.call('SET', KEYS[1], cmsgpack.pack({ 'reply', ARGV[1] }), 'PX', ARGV[2])
  return { 'kept', ARGV[1] }
end
if claim[1] == 'reply' then return { 'kept', claim[2] } end
return { 'claimed', claim[2] }
