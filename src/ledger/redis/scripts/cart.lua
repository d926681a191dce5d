-- All that one user has in this partition, as it is at `now`.
--
-- ARGV   1 user, 2 now
-- Reply  per SKU of which the user has something: [sku, held, heldUntil, pending, ordered, userLevel or -1, session, held since]; {} for nothing
local user, now = ARGV[1], tonumber(ARGV[2])
local mine = {}
local book = bookOf(user)
for n = 1, #book, 2 do
  local sku, row = book[n], book[n + 1]
  local _, at = seen(sku, now)
  local held, pending = row[UNTIL] > at and row[HELD] or 0, pendingOf(row, at)
  if held + pending + row[ORDERED] > 0 or row[LEVEL] >= 0 then
    mine[#mine + 1] = { sku, held, held > 0 and row[UNTIL] or 0, pending, row[ORDERED], row[LEVEL], row[SESSION], row[SINCE] }
  end
end
return finish(mine)
