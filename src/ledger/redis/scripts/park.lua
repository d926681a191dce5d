-- Makes a user's hold one part of an order, with the order's deadline. What is frozen stays frozen. It leaves a mark.
--
-- ARGV   1 as JSON [at, sku, user, order, held, heldUntil, payUntil, other SKUs, marked at]
-- Reply  "done", also when it was done before; "changed" when the hold is not what it was said to be; "busy"
local at, sku, user, order, held, heldUntil, payUntil, others, markedAt = unpack(cjson.decode(ARGV[1]))
local shelf, time = seen(sku, at)
local line = settled(sku, user, time)
local row = line.row
if row[MARK] == order then return finish('done') end
if row[MARK] then return finish('busy') end
if not shelf.goods or row[HELD] ~= held or row[UNTIL] ~= heldUntil or payUntil <= time then return finish('changed') end
move(shelf, heldUntil, -held)
movePart(shelf, payUntil, held)
row[HELD], row[UNTIL] = 0, 0
addPart(shelf, line, order, held, payUntil)
tie(sku, order, payUntil, others)
setGoods(shelf, time, 0)
mark(line, order, { 'park', user, held, payUntil, heldUntil, row[LEVEL], others, markedAt })
return finish('done')
