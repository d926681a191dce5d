-- Housekeeping: ends what is due, and tells and removes what has ended, line by line, a bounded number of them. Nobody sees a difference.
--
-- ARGV   1 now, 2 how many SKUs at most, 3 how many lines at most, 4 one SKU, or "" for those that are due
-- Reply  [parts of orders that have ended, [order, sku, user] each, some more than once; 1 if there is more to do at once, else 0; how much is told]
local now, skusMax, rowsMax = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local skus = ARGV[4] ~= '' and { ARGV[4] } or call('ZRANGEBYSCORE', WAKE, '-inf', now, 'LIMIT', 0, skusMax)
local orders, isMore, left = {}, #skus == skusMax, rowsMax
for _, sku in ipairs(skus) do
  if left <= 0 then
    isMore = true
    break
  end
  local shelf, at = seen(sku, now)
  local rows, isClean = sweepShelf(shelf, at, left, orders)
  left = left - rows
  if isClean then
    later(function()
      flushSums(shelf)
      local first = call('ZRANGEBYLEX', ENDS, '[' .. sku .. '\n', '(' .. sku .. '\v', 'LIMIT', 0, 1)[1]
      local due = shelf.goods and shelf.goods[EARLIEST] or 0
      local ends = first and tonumber(string.sub(first, #sku + 2, #sku + 16)) or 0
      local wake = (due == 0 or ends == 0) and math.max(due, ends) or math.min(due, ends)
      if wake > 0 then call('ZADD', WAKE, wake, sku) else call('ZREM', WAKE, sku) end
    end)
  else
    isMore = isMore or rows >= rowsMax
  end
end
return finish({ orders, isMore and 1 or 0, #told })
