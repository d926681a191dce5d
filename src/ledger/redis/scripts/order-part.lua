-- What the scripts about one SKU's part of an order share. It stands behind `partition.lua`.
--
-- A part is here while its order is unpaid. What is done to it before Postgres knows (`park.lua`, `sell.lua`) leaves a mark: on the line, so that
-- nobody else touches that meanwhile, and among the partition's marks, with what is needed to undo it. When Postgres has committed, the mark goes
-- (`unmark.lua`); when it has not, the step is undone (`undo.lua`).
local function fieldOf(order, sku) return order .. '\n' .. sku end

local function partOf(row, order)
  for n = 1, #row[PARTS], 3 do if row[PARTS][n] == order then return n end end
  return nil
end

local function removePart(row, n)
  for _ = 1, 3 do table.remove(row[PARTS], n) end
end

local function addPart(shelf, line, order, quantity, payUntil)
  local parts = line.row[PARTS]
  parts[#parts + 1], parts[#parts + 2], parts[#parts + 3] = order, quantity, payUntil
  line.isChanged = true
  begin(shelf, payUntil, line.user)
end

-- The entry that ends the other SKUs of an order together with this one; nil when there are no others.
local function tieOf(sku, order, payUntil, others)
  if #others == 0 then return nil end
  return sku .. '\n' .. padded(payUntil) .. '\n' .. order .. '\n' .. table.concat(others, '\n')
end
local function tie(sku, order, payUntil, others)
  local entry = tieOf(sku, order, payUntil, others)
  if entry then later(function() call('ZADD', TIES, 0, entry) end) end
end
local function untie(sku, order, payUntil, others)
  local entry = tieOf(sku, order, payUntil, others)
  if entry then later(function() call('ZREM', TIES, entry) end) end
end

local function mark(line, order, undo)
  line.row[MARK] = order
  line.isChanged = true
  later(function() call('HSET', MARKS, fieldOf(order, line.sku), cmsgpack.pack(undo)) end)
end
local function unmark(line, order)
  line.row[MARK] = false
  line.isChanged = true
  later(function() call('HDEL', MARKS, fieldOf(order, line.sku)) end)
end
-- Fields of what a mark remembers. DEADLINE is false where a late payment found no part; LEVEL_BEFORE is the line's.
local KIND, WHOSE, QUANTITY, DEADLINE, HELD_UNTIL, LEVEL_BEFORE, OTHERS, MARKED_AT = 1, 2, 3, 4, 5, 6, 7, 8
