-- Sells one part of an order: it leaves the stock and counts as ordered. It leaves a mark.
--
-- ARGV   1 as JSON [at, sku, user, order, quantity, payUntil, userLevel, limit, other SKUs, marked at, is late]. Late: the part has ended, and
--        the stock is taken again if there is enough and the limit (0: none) allows.
-- Reply  "done", also when it was done before; "changed" when the part is alive and should not be, or the other way round; "refused"; "busy"
local at, sku, user, order, quantity, payUntil, level, limit, others, markedAt, isLate = unpack(cjson.decode(ARGV[1]))
local shelf, time = seen(sku, at)
local line = settled(sku, user, time)
local row, goods = line.row, shelf.goods
if row[MARK] == order then return finish('done') end
if row[MARK] then return finish('busy') end
local n = partOf(row, order)
local isAlive = n ~= nil and payUntil > time
if isAlive == isLate then return finish('changed') end
if isLate then
  -- What Redis has forgotten to have sold looks as if it were there.
  if not known() then return notWhole() end
  local mine = row[HELD] + row[ORDERED] + pendingOf(row, time)
  if not goods or availableOf(goods) < quantity or (limit > 0 and mine + quantity > limit) then return finish('refused') end
  if availableOf(goods) == quantity then tell({ type = 'goods.sold-out', at = time, sku = sku }) end
else
  movePart(shelf, payUntil, -quantity)
  goods[FROZEN] = goods[FROZEN] - quantity
  untie(sku, order, payUntil, others)
end
goods[ON_HAND], goods[SOLD] = goods[ON_HAND] - quantity, goods[SOLD] + quantity
setGoods(shelf, time, 0)
mark(line, order, { 'sell', user, quantity, n and payUntil or false, 0, row[LEVEL], others, markedAt })
if n then removePart(row, n) end
row[ORDERED] = row[ORDERED] + quantity
if row[LEVEL] < 0 then row[LEVEL] = level end
return finish('done')
