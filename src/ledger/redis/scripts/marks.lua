-- Some of the parts that are under way, for whoever looks after those that somebody has left behind.
--
-- ARGV   1 how many at most, about
-- Reply  JSON, per part [order, sku, user, kind, marked at]; {} for none
local found = {}
local page = call('HSCAN', MARKS, 0, 'COUNT', ARGV[1])[2]
for n = 1, #page, 2 do
  local order, sku = string.match(page[n], '^([^\n]+)\n([^\n]+)$')
  local undo = cmsgpack.unpack(page[n + 1])
  found[#found + 1] = { order, sku, undo[WHOSE], undo[KIND], undo[MARKED_AT] }
end
return finish(found)
