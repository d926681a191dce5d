-- Shows goods and lines as they are at a time. Only what that time has ended is written, so that no look ever sees less than an earlier one.
--
-- ARGV   1 the looks as JSON, each [now, sku, user or "", order or ""]
-- Reply  per look [goods, line, part]: goods [onHand, frozen, sold, priceCents, clock, pending] or false; line [held, heldUntil, pending, ordered,
--        userLevel or -1, session] or false where no user is named; part of that order: "alive"; "park" or "sell" where that is under way; "gone"
--        where it has ended, or never was; and 1 where there are no goods and the partition is not known to be whole, so that there may be some, else 0
local views = {}
for n, look in ipairs(cjson.decode(ARGV[1])) do
  local now, sku, user, order = look[1], look[2], look[3], look[4]
  local shelf, at = seen(sku, now)
  local goods, row = shelf.goods, user ~= '' and lineOf(sku, user).row
  local figures = goods and { goods[ON_HAND], goods[FROZEN], goods[SOLD], goods[PRICE], goods[CLOCK], goods[PENDING] } or false
  local view = { figures, false, 'gone', (goods or known()) and 0 or 1 }
  if row then
    local held = row[UNTIL] > at and row[HELD] or 0
    view[2] = { held, held > 0 and row[UNTIL] or 0, pendingOf(row, at), row[ORDERED], row[LEVEL], row[SESSION] }
    for part = 1, #row[PARTS], 3 do if row[PARTS][part] == order and row[PARTS][part + 2] > at then view[3] = 'alive' end end
    if order ~= '' and row[MARK] == order then view[3] = cmsgpack.unpack(call('HGET', MARKS, order .. '\n' .. sku))[1] end
  end
  views[n] = view
end
return finish(views)
