-- One partition of the ledger: some SKUs with their goods, lines and deadlines, all keys under one hash tag. This text stands in front of every
-- script that looks at SKUs. What it promises to them:
--   * what is decided is written at the end, all of it (`finish`), so that an error half way leaves nothing behind;
--   * a SKU's time never goes back, and whatever is due at that time has ended before anybody looks (`seen`);
--   * what happened is appended to the partition's stream in the same step, one entry for a whole batch;
--   * nothing happens that has to be told while the partition is not KNOWN to be whole: its stream may be behind what Postgres has taken over.
--
-- KEYS, the same for all scripts:
--    1 goods    hash    sku -> what is on hand, frozen, sold; price; clock; earliest deadline; what of the frozen is in unpaid orders
--    2 lines    hash    user -> sku, what the user has of it, sku, ...: all of one user's lines are read and written as one, and nearly always there is one
--    3 due      zset    sku \n deadline: the deadlines that freeze something, in order of their bytes
--    4 sums     hash    sku \n deadline -> how much becomes free then
--    5 ends     zset    sku \n deadline \n user [\n user ...]: whose lines to look at after that deadline
--    6 wake     zset    sku, by the time at which the sweeper has to look at it (0: now)
--    7 unpaid   hash    sku \n deadline -> how much of what becomes free then is in unpaid orders
--    8 names    zset    sku of all goods, in order of their bytes
--    9 records  zset    user \n sku of all order records, in order of their bytes
--   10 ties     zset    sku \n deadline \n order \n sku [\n sku ...]: what an order of several SKUs ends together with
--   11 stream   stream  what has happened: new holds that are alike as one entry, `holds` JSON, how many, when (`holds-together.ts`); or `events`, a JSON array of events,
--                       and of notes about what operators set, for Postgres to keep
--   12 marks    hash    order \n sku -> a part of an order that is under way between here and Postgres, since when, and how to undo it
--   13 whole    string  the run id of the server under which this partition was compared with Postgres; see `note-whole.lua`
-- Ids have no control characters, so \n separates them and sorts before all they are made of.
local GOODS, LINES, DUE, SUMS, ENDS, WAKE = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local UNPAID, NAMES, RECORDS, TIES, STREAM, MARKS, WHOLE = KEYS[7], KEYS[8], KEYS[9], KEYS[10], KEYS[11], KEYS[12], KEYS[13]

-- Fields of goods.
local ON_HAND, FROZEN, SOLD, PRICE, CLOCK, EARLIEST, PENDING = 1, 2, 3, 4, 5, 6, 7
-- Fields of a line. LEVEL is -1 where there is no record. PARTS is flat: order, quantity, deadline, order, ... MARK is false, or the order
-- that is under way: nobody else touches the line meanwhile.
local HELD, UNTIL, SINCE, ORDERED, LEVEL, SESSION, PARTS, MARK = 1, 2, 3, 4, 5, 6, 7, 8

local CHUNK, USERS_PER_ENTRY = 1000, 100
local call = redis.call
local shelves, lines, books, told, looks, written = {}, {}, {}, {}, {}, {}
-- A user's lines as they were read before somebody asked, or as they will be written first: the packed text, or false where there are none.
local stored, newLines = {}, {}

local function padded(ms) return string.format('%015.0f', ms) end
local function must(condition, fact) if not condition then error('broken invariant: ' .. fact) end end
local function tell(event) told[#told + 1] = event end
-- Something that `finish` does after all decisions.
local function later(write) written[#written + 1] = write end

-- Whether the partition is known to have all that it should. One that came back empty has no note; one that was loaded again, or whose replica has
-- taken over, may lack the last changes, and has the note of another server.
local isKnown = nil
local function known()
  if isKnown == nil then
    local note = call('GET', WHOLE)
    local info = note and call('INFO', 'server')
    local _, before = string.find(info or '', 'run_id:', 1, true)
    isKnown = before ~= nil and string.sub(note, 1, 40) == string.sub(info, before + 1, before + 40)
  end
  return isKnown
end
-- The caller is told that nothing has happened.
local function notWhole() return redis.error_reply('NOTWHOLE what Redis has of these goods is being compared with Postgres') end

local function earliestOf(sku)
  local first = call('ZRANGEBYLEX', DUE, '[' .. sku .. '\n', '(' .. sku .. '\v', 'LIMIT', 0, 1)[1]
  return first and tonumber(string.sub(first, -15)) or 0
end

-- The SKU as this script knows it, without a look at the time.
local function shelfOf(sku)
  local shelf = shelves[sku]
  if not shelf then
    local text = call('HGET', GOODS, sku)
    shelf = { sku = sku, goods = text and cmsgpack.unpack(text) or nil, moved = {}, parted = {}, begun = {}, now = 0 }
    shelf.wasThere = shelf.goods ~= nil
    -- Goods of before there was this field.
    if shelf.goods and not shelf.goods[PENDING] then shelf.goods[PENDING] = 0 end
    shelves[sku] = shelf
  end
  return shelf
end

-- Writes the sums that have changed. Also called in between, when time goes on within a script, because then they may be due.
local function flushSums(shelf)
  local sku, over = shelf.sku, shelf.over
  if over then
    for first = 1, #over.names, CHUNK do
      local last = math.min(#over.names, first + CHUNK - 1)
      call('HDEL', SUMS, unpack(over.names, first, last))
      if over.wasPending then call('HDEL', UNPAID, unpack(over.names, first, last)) end
    end
    call('ZREMRANGEBYLEX', DUE, over.from, over.to)
    call('ZREMRANGEBYLEX', TIES, over.from, over.to .. '\v')
    call('ZADD', WAKE, 'LT', 0, sku)
    shelf.over = nil
  end
  for deadline, delta in pairs(shelf.moved) do
    if delta ~= 0 then
      local name = sku .. '\n' .. padded(deadline)
      local sum = call('HINCRBY', SUMS, name, string.format('%.0f', delta))
      must(sum >= 0, 'no deadline frees less than nothing')
      if sum == 0 then
        call('HDEL', SUMS, name)
        call('ZREM', DUE, name)
      elseif sum == delta then
        call('ZADD', DUE, 0, name)
      end
    end
  end
  for deadline, delta in pairs(shelf.parted) do
    local name = sku .. '\n' .. padded(deadline)
    if delta ~= 0 and call('HINCRBY', UNPAID, name, string.format('%.0f', delta)) <= 0 then call('HDEL', UNPAID, name) end
  end
  for deadline, whose in pairs(shelf.begun) do
    for from = 1, #whose, USERS_PER_ENTRY do
      local some = table.concat(whose, '\n', from, math.min(#whose, from + USERS_PER_ENTRY - 1))
      call('ZADD', ENDS, 0, sku .. '\n' .. padded(deadline) .. '\n' .. some)
    end
    call('ZADD', WAKE, 'LT', deadline, sku)
  end
  if next(shelf.moved) and shelf.goods then
    shelf.goods[EARLIEST] = earliestOf(sku)
    shelf.isChanged = true
  end
  shelf.moved, shelf.parted, shelf.begun = {}, {}, {}
end

-- Ends everything of this SKU that is due by `at`: its sums leave what is frozen, however many holds they were. Whose they were is found out
-- later, line by line; until then the lines are dead by the clock.
local function endDue(shelf, at)
  local sku, goods = shelf.sku, shelf.goods
  local from, to = '[' .. sku .. '\n', '[' .. sku .. '\n' .. padded(at)
  local names = call('ZRANGEBYLEX', DUE, from, to)
  local wasPending = goods[PENDING] > 0
  for first = 1, #names, CHUNK do
    local last = math.min(#names, first + CHUNK - 1)
    for _, sum in ipairs(call('HMGET', SUMS, unpack(names, first, last))) do goods[FROZEN] = goods[FROZEN] - tonumber(sum) end
    for _, sum in ipairs(wasPending and call('HMGET', UNPAID, unpack(names, first, last)) or {}) do
      goods[PENDING] = math.max(0, goods[PENDING] - tonumber(sum or 0))
    end
  end
  must(#names > 0 and goods[FROZEN] >= 0, 'what is due was frozen')
  goods[CLOCK] = at
  -- The first that is not due: what is in between is removed when everything is decided.
  local first = call('ZRANGEBYLEX', DUE, '(' .. sku .. '\n' .. padded(at), '(' .. sku .. '\v', 'LIMIT', 0, 1)[1]
  goods[EARLIEST] = first and tonumber(string.sub(first, -15)) or 0
  shelf.isChanged = true
  -- An order of several SKUs ends as a whole, so the others have seen this time too.
  for _, tie in ipairs(call('ZRANGEBYLEX', TIES, from, to .. '\v')) do
    local n = 0
    for word in string.gmatch(tie, '[^\n]+') do
      n = n + 1
      if n > 3 then looks[#looks + 1] = { word, at } end
    end
  end
  shelf.over = { from = from, to = to, names = names, wasPending = wasPending }
end

-- The SKU at `now`, or at its own time where that is later, after everything due has ended; and that time.
local function seen(sku, now)
  local shelf = shelfOf(sku)
  if not shelf.goods then return shelf, now end
  if now > shelf.now then
    flushSums(shelf)
    shelf.now = now
  end
  local at = math.max(now, shelf.goods[CLOCK])
  local earliest = shelf.goods[EARLIEST]
  if earliest ~= 0 and earliest <= at then endDue(shelf, at) end
  return shelf, at
end

local function availableOf(goods) return goods[ON_HAND] - goods[FROZEN] end

local function setGoods(shelf, at, frozenMore)
  local goods = shelf.goods
  goods[FROZEN] = goods[FROZEN] + frozenMore
  goods[CLOCK] = at
  must(goods[FROZEN] >= 0 and goods[FROZEN] <= goods[ON_HAND], 'frozen is between nothing and all on hand')
  shelf.isChanged = true
end

-- Freezes `quantity` more until `deadline`, or less.
local function move(shelf, deadline, quantity) shelf.moved[deadline] = (shelf.moved[deadline] or 0) + quantity end

-- The same for a part of an order. How much of what is frozen is unpaid is for people to see; nothing is decided by it.
local function movePart(shelf, deadline, quantity)
  move(shelf, deadline, quantity)
  shelf.parted[deadline] = (shelf.parted[deadline] or 0) + quantity
  shelf.goods[PENDING] = math.max(0, shelf.goods[PENDING] + quantity)
  shelf.isChanged = true
end

-- The user's line has something that ends at `deadline`: the sweeper has to look at it then.
local function begin(shelf, deadline, user)
  local whose = shelf.begun[deadline]
  if not whose then
    whose = {}
    shelf.begun[deadline] = whose
  end
  whose[#whose + 1] = user
end

-- Fields of a hash, a thousand at a time: a call for each would cost more than all else that a hold does.
-- @param pairs field, value, field, value, ...
local function writeAll(key, pairs)
  for first = 1, #pairs, CHUNK do call('HSET', key, unpack(pairs, first, math.min(#pairs, first + CHUNK - 1))) end
end

-- Reads the lines of users together, for whom somebody will ask.
local function fetch(users)
  for first = 1, #users, CHUNK do
    local last = math.min(#users, first + CHUNK - 1)
    for n, text in ipairs(call('HMGET', LINES, unpack(users, first, last))) do stored[users[first + n - 1]] = text end
  end
end

-- All lines of a user, flat: sku, line, sku, line, ...
local function bookOf(user)
  local book = books[user]
  if not book then
    local text = stored[user]
    if text == nil then text = call('HGET', LINES, user) end
    book = text and cmsgpack.unpack(text) or {}
    books[user] = book
  end
  return book
end
local function placeIn(book, sku)
  for n = 1, #book, 2 do if book[n] == sku then return n end end
  return nil
end

-- The user's line as it is stored, or an empty one.
local function lineOf(sku, user)
  local name = sku .. '\n' .. user
  local line = lines[name]
  if not line then
    local book = bookOf(user)
    local place = placeIn(book, sku)
    local row = place and book[place + 1] or { 0, 0, 0, 0, -1, '', {}, false }
    line = { sku = sku, user = user, row = row, hadRecord = row[LEVEL] >= 0 }
    lines[name] = line
  end
  return line
end

-- The only line of a user, with a hold and nothing else, packed as `bookOf` reads it; `head` is the same for all of one SKU, time and quantity.
local function headOfHeld(sku, quantity, heldUntil, at)
  return '\146' .. cmsgpack.pack(sku) .. '\152' .. cmsgpack.pack(quantity, heldUntil, at, 0, -1)
end
local TAIL_OF_HELD = cmsgpack.pack({}, false)
local startOfSession, sessionChars = nil, -1
local function bookOfHeld(head, session)
  -- How a text begins depends on its length alone.
  if #session ~= sessionChars then
    sessionChars, startOfSession = #session, string.sub(cmsgpack.pack(session), 1, -1 - #session)
  end
  return head .. startOfSession .. session .. TAIL_OF_HELD
end

-- The line for whoever may write into it: a hold that its deadline has ended is told and leaves the line.
local function settled(sku, user, at)
  local line = lineOf(sku, user)
  local row = line.row
  if row[HELD] > 0 and row[UNTIL] <= at then
    tell({ type = 'hold.expired', at = row[UNTIL], sku = sku, userId = user, quantity = row[HELD] })
    row[HELD], row[UNTIL] = 0, 0
    line.isChanged = true
  end
  return line
end

local function pendingOf(row, at)
  local pending, parts = 0, row[PARTS]
  for n = 1, #parts, 3 do if parts[n + 2] > at then pending = pending + parts[n + 1] end end
  return pending
end

-- How many SKUs of this partition the user has lines of, dead ones too.
local function skusOf(user) return #bookOf(user) / 2 end

local function finishLine(line)
  local row, sku, user = line.row, line.sku, line.user
  local isThere = row[HELD] > 0 or row[ORDERED] > 0 or row[LEVEL] >= 0 or #row[PARTS] > 0 or row[MARK] ~= false
  local book = bookOf(user)
  local place = placeIn(book, sku)
  if isThere and not place then
    book[#book + 1], book[#book + 2] = sku, row
  elseif place and not isThere then
    for _ = 1, 2 do table.remove(book, place) end
  end
  local hasRecord = row[LEVEL] >= 0
  if hasRecord and not line.hadRecord then call('ZADD', RECORDS, 0, user .. '\n' .. sku) end
  if line.hadRecord and not hasRecord then call('ZREM', RECORDS, user .. '\n' .. sku) end
end

local function finishShelf(shelf)
  local sku, goods = shelf.sku, shelf.goods
  flushSums(shelf)
  if goods and shelf.isChanged then
    call('HSET', GOODS, sku, cmsgpack.pack(goods))
    if not shelf.wasThere then call('ZADD', NAMES, 0, sku) end
  elseif shelf.wasThere and not goods then
    call('HDEL', GOODS, sku)
    call('ZREM', NAMES, sku)
  end
end

local function finishLines()
  -- First, so that what became of them in the same batch wins.
  writeAll(LINES, newLines)
  local put, changed = {}, {}
  for _, line in pairs(lines) do
    if line.isChanged then
      finishLine(line)
      changed[line.user] = true
    end
  end
  for user in pairs(changed) do
    local book = books[user]
    if #book > 0 then put[#put + 1], put[#put + 2] = user, cmsgpack.pack(book) else call('HDEL', LINES, user) end
  end
  writeAll(LINES, put)
end

-- Appends what is told, in its order.
local function tellAll()
  local others = {}
  local function tellOthers()
    if #others > 0 then call('XADD', STREAM, '*', 'events', cjson.encode(others)) end
    others = {}
  end
  for _, event in ipairs(told) do
    if event.type == 'holds.created' then
      tellOthers()
      local text = '{"type":"holds.created","at":' .. cjson.encode(event.at) .. ',"sku":' .. cjson.encode(event.sku) ..
        ',"quantity":' .. cjson.encode(event.quantity) .. ',"heldUntil":' .. cjson.encode(event.heldUntil) ..
        ',"userIds":' .. cjson.encode(event.userIds) .. ',"sessionIds":' .. cjson.encode(event.sessionIds) .. '}'
      call('XADD', STREAM, '*', 'holds', text, 'count', #event.userIds, 'at', cjson.encode(event.at))
    else
      others[#others + 1] = event
    end
  end
  tellOthers()
end

-- Writes everything, appends what is told, and answers: JSON of what is given, and of the SKUs that have to be looked at, at which time.
local function finishWith(reply)
  if #told > 0 and not known() then return notWhole() end
  for _, write in ipairs(written) do write() end
  for _, shelf in pairs(shelves) do finishShelf(shelf) end
  finishLines()
  tellAll()
  return '[' .. reply .. ',' .. cjson.encode(looks) .. ']'
end
local function finish(reply) return finishWith(cjson.encode(reply)) end

-- Tells and clears what has ended of up to `rowsMax` lines of this SKU. Orders whose part here has ended are not over before Postgres says so:
-- they are added to `orders` ([order, sku, user]), and stay. Returns how many lines it has looked at, and whether nothing is left.
local function sweepShelf(shelf, at, rowsMax, orders)
  local rows, isClean = 0, true
  local range = { '[' .. shelf.sku .. '\n', '[' .. shelf.sku .. '\n' .. padded(at) .. '\v' }
  for _, entry in ipairs(call('ZRANGEBYLEX', ENDS, range[1], range[2], 'LIMIT', 0, rowsMax)) do
    if rows >= rowsMax then return rows, false end
    local isOver, n = true, 0
    for word in string.gmatch(entry, '[^\n]+') do
      n = n + 1
      if n > 2 then
        rows = rows + 1
        local row = settled(shelf.sku, word, at).row
        if row[MARK] ~= false then isOver = false end
        for part = 1, #row[PARTS], 3 do
          if row[PARTS][part + 2] <= at then
            isOver = false
            orders[#orders + 1] = { row[PARTS][part], shelf.sku, word }
          end
        end
      end
    end
    if isOver then later(function() call('ZREM', ENDS, entry) end) else isClean = false end
  end
  return rows, isClean and rows < rowsMax
end
