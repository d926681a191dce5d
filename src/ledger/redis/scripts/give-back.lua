-- Ends one part of an order that Postgres has ended: its goods are free again, or the user's hold is back with the deadline that it had. A part that its own
-- deadline has ended is free already and only leaves the line.
--
-- ARGV   1 as JSON [at, sku, user, order, held until or 0 for no hold, other SKUs]
-- Reply  "done", also when it was done before; "busy"
local at, sku, user, order, heldUntil, others = unpack(cjson.decode(ARGV[1]))
local shelf, time = seen(sku, at)
local line = lineOf(sku, user)
local n = partOf(line.row, order)
if not n then return finish('done') end
if line.row[MARK] then return finish('busy') end
local row = settled(sku, user, time).row
local quantity, payUntil = row[PARTS][n + 1], row[PARTS][n + 2]
removePart(row, n)
line.isChanged = true
if payUntil > time then
  untie(sku, order, payUntil, others)
  movePart(shelf, payUntil, -quantity)
  if heldUntil > time then
    local wasHeld, wasUntil = row[HELD], row[UNTIL]
    -- With a hold made meanwhile the two become one, and the earlier deadline counts.
    row[UNTIL] = wasHeld > 0 and math.min(wasUntil, heldUntil) or heldUntil
    move(shelf, wasUntil, -wasHeld)
    row[HELD] = wasHeld + quantity
    move(shelf, row[UNTIL], row[HELD])
    begin(shelf, row[UNTIL], user)
    setGoods(shelf, time, 0)
    tell({ type = wasHeld == 0 and 'hold.created' or 'hold.changed', at = time, sku = sku, userId = user, sessionId = cjson.null,
      quantity = row[HELD], heldUntil = row[UNTIL] })
  else
    setGoods(shelf, time, -quantity)
  end
end
return finish('done')
