-- Brings one partition back to what Postgres knows: goods as operators have set them with what was sold since, order records, and parts of unpaid orders.
-- Only if nothing has happened since Postgres was asked: it names the last entry of the stream that it has.
--
-- ARGV   1 that entry's id, 2 as JSON, in this order: ["goods", sku, stocked, sold, priceCents, now], ["line", sku, user, ordered, userLevel or -1],
--        ["part", sku, user, order, quantity, payUntil, now, other SKUs], and the same with "left" for a part of an order that is paid;
--        3 "look" to change nothing
-- Reply  "moved" when something has happened since; otherwise per thing "done", "busy" (an order of it is under way), "short" (more is frozen than
--        there would be), or "over" (its time has passed)
-- This is how a partition becomes whole, and its stream has caught up by now.
isKnown = true
local newest = call('XREVRANGE', STREAM, '+', '-', 'COUNT', 1)[1]
if newest then
  local ms, n = string.match(newest[1], '(%d+)-(%d+)')
  local knownMs, knownN = string.match(ARGV[1], '(%d+)-(%d+)')
  ms, n, knownMs, knownN = tonumber(ms), tonumber(n), tonumber(knownMs), tonumber(knownN)
  if ms > knownMs or (ms == knownMs and n > knownN) then return finish('moved') end
end
local underWay = {}
for _, field in ipairs(call('HKEYS', MARKS)) do underWay[string.match(field, '\n(.*)$')] = true end

local things = {}
function things.goods(_, sku, stocked, sold, price, now)
  local shelf = shelfOf(sku)
  local goods = shelf.goods or { 0, 0, 0, price, now, 0, 0 }
  if stocked - sold < goods[FROZEN] then return 'short' end
  goods[ON_HAND], goods[SOLD], goods[PRICE] = stocked - sold, sold, price
  shelf.goods, shelf.isChanged = goods, true
  return 'done'
end
function things.line(_, sku, user, ordered, level)
  local line = lineOf(sku, user)
  line.row[ORDERED], line.row[LEVEL], line.isChanged = ordered, level, true
  return 'done'
end
function things.part(_, sku, user, order, quantity, payUntil, now, others)
  local shelf, at = seen(sku, now)
  local line = settled(sku, user, at)
  if payUntil <= at then return 'over' end
  if partOf(line.row, order) then return 'done' end
  if not shelf.goods or availableOf(shelf.goods) < quantity then return 'short' end
  addPart(shelf, line, order, quantity, payUntil)
  tie(sku, order, payUntil, others)
  movePart(shelf, payUntil, quantity)
  setGoods(shelf, at, quantity)
  return 'done'
end
function things.left(_, sku, user, order, quantity, payUntil, now, others)
  local shelf, at = seen(sku, now)
  local line = settled(sku, user, at)
  local n = partOf(line.row, order)
  if not n or payUntil <= at then return 'over' end
  removePart(line.row, n)
  line.isChanged = true
  untie(sku, order, payUntil, others)
  movePart(shelf, payUntil, -quantity)
  setGoods(shelf, at, -quantity)
  return 'done'
end

local replies = {}
for n, thing in ipairs(cjson.decode(ARGV[2])) do
  if underWay[thing[2]] then
    replies[n] = 'busy'
  else
    replies[n] = ARGV[3] == 'look' and 'done' or things[thing[1]](unpack(thing))
  end
end
return finish(replies)
