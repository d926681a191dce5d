-- Undoes one part of an order that is under way and will not be: a hold is a hold again with its deadline, what was sold is back in stock.
--
-- ARGV   1 as JSON [now, sku, order]
-- Reply  "done", also when there is nothing to undo
local now, sku, order = unpack(cjson.decode(ARGV[1]))
local text = call('HGET', MARKS, fieldOf(order, sku))
if not text then return finish('done') end
local undo = cmsgpack.unpack(text)
local shelf, at = seen(sku, now)
local goods = shelf.goods
local line = settled(sku, undo[WHOSE], at)
local row, quantity, payUntil = line.row, undo[QUANTITY], undo[DEADLINE]
must(row[MARK] == order, 'what is marked is under way')
if undo[KIND] == 'park' then
  removePart(row, partOf(row, order))
  -- A part that its own deadline has ended is free already.
  if payUntil > at then
    untie(sku, order, payUntil, undo[OTHERS])
    movePart(shelf, payUntil, -quantity)
    if undo[HELD_UNTIL] > at then
      move(shelf, undo[HELD_UNTIL], quantity)
      row[HELD], row[UNTIL] = quantity, undo[HELD_UNTIL]
      begin(shelf, row[UNTIL], line.user)
      setGoods(shelf, at, 0)
    else
      setGoods(shelf, at, -quantity)
    end
  end
  if row[HELD] == 0 then
    tell({ type = 'hold.expired', at = math.min(payUntil, undo[HELD_UNTIL]), sku = sku, userId = line.user, quantity = quantity })
  end
else
  -- The goods may have been removed since they were sold out.
  if goods then
    goods[ON_HAND], goods[SOLD] = goods[ON_HAND] + quantity, goods[SOLD] - quantity
    setGoods(shelf, at, 0)
  end
  row[ORDERED], row[LEVEL] = row[ORDERED] - quantity, undo[LEVEL_BEFORE]
  if payUntil then
    addPart(shelf, line, order, quantity, payUntil)
    if payUntil > at then
      movePart(shelf, payUntil, quantity)
      setGoods(shelf, at, quantity)
      tie(sku, order, payUntil, undo[OTHERS])
    end
  end
end
unmark(line, order)
return finish('done')
