-- Decides a batch of commands about SKUs of one partition, each in its order and in one atomic step, as `decide.ts` does; everything due has
-- ended before a command is looked at. The same key gets the first reply and changes nothing. While the partition is not known to be whole nothing is
-- decided: goods that Redis has forgotten would be unknown, and what it has forgotten to have sold would be sold again.
--
-- KEYS   14...: the kept replies of the batch's keys
-- ARGV   1 the commands as JSON, each [verb, now, sku, user, ...]
--        2 how many SKUs of this partition a user may have before all partitions must be asked, 3 how many of all partitions, 4 how many goods
--        there may be in this partition, 5 how long a reply is kept, in ms, 6 how many ended lines may be swept with goods that are removed
-- Reply  a reply per command: [kind, ...]. Beside those of the ledger:
--        ["all", how many, quantity, held until] so many holds in a row have this reply; ["kept", reply] the key has this reply; ["count"] tell first of how many SKUs the user has something; ["busy"] an order of this user
--        and SKU is under way; ["unswept"] sweep the SKU first; ["later"] a command before it about the same SKU was not decided.
if not known() then return notWhole() end
local SKUS_HERE_MAX, SKUS_MAX, GOODS_MAX, KEPT_MS, SWEPT_MAX =
  tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5], tonumber(ARGV[6])
local BUSY, goodsCount = { 'busy' }, nil

local function refused(reason) return { 'refused', reason } end

local function tellIfSoldOut(shelf, before, at)
  if before > 0 and shelf.goods and availableOf(shelf.goods) == 0 then tell({ type = 'goods.sold-out', at = at, sku = shelf.sku }) end
end

-- Holds of one batch that differ in nothing but whose they are, are told as one.
local function tellCreated(sku, user, session, at, quantity, heldUntil)
  local last = told[#told]
  if last and last.type == 'holds.created' and last.at == at and last.sku == sku and last.quantity == quantity and last.heldUntil == heldUntil then
    last.userIds[#last.userIds + 1], last.sessionIds[#last.sessionIds + 1] = user, session
    return
  end
  tell({ type = 'holds.created', at = at, sku = sku, quantity = quantity, heldUntil = heldUntil, userIds = { user }, sessionIds = { session } })
end

local function tellHold(wasHeld, line, at, session)
  local row = line.row
  if row[HELD] == wasHeld then return end
  if wasHeld == 0 then return tellCreated(line.sku, line.user, session, at, row[HELD], row[UNTIL]) end
  tell({ type = 'hold.changed', at = at, sku = line.sku, userId = line.user, sessionId = session, quantity = row[HELD], heldUntil = row[UNTIL] })
end

local verbs = {}

-- Keeps what this hold is told for its key.
local function keep(keyed, sku, frozenForMs, session, reason, quantity, heldUntil)
  local number, key, fingerprint = keyed[11], keyed[12], keyed[13]
  local reply = cjson.encode({ { key, fingerprint, session, 'cart', reason, sku, quantity, heldUntil, frozenForMs } })
  later(function() call('SET', KEYS[13 + number], reply, 'PX', KEPT_MS) end)
end

-- @param keyed the command, if it has a key; @param counted of how many SKUs the user has something, or -1
local function hold(sku, now, user, quantity, limit, opensAt, closesAt, frozenForMs, session, keyed, counted)
  local shelf, at = seen(sku, now)
  local kept = keyed and call('GET', KEYS[13 + keyed[11]])
  if kept then return { 'kept', kept } end
  -- A refusal is kept too: the same key hears it again, even when goods have come back since.
  local function refusedHold(reason)
    if keyed then keep(keyed, sku, frozenForMs, session, reason, quantity, 0) end
    return refused(reason)
  end
  local goods = shelf.goods
  if not goods then return refusedHold('unknown-goods') end
  -- Who came too early may come again with the same key, so this refusal is not kept.
  if at < opensAt then return refused('not-started') end
  if closesAt > 0 and at >= closesAt then return refusedHold('ended') end
  local line = settled(sku, user, at)
  local row = line.row
  if row[MARK] then return BUSY end
  local mine = row[HELD] + row[ORDERED] + pendingOf(row, at)
  if limit > 0 and mine + quantity > limit then return refusedHold('limit-reached') end
  if mine == 0 and row[LEVEL] < 0 and skusOf(user) >= SKUS_HERE_MAX then
    if counted < 0 then
      shelf.isHalted = true
      return { 'count' }
    end
    if counted >= SKUS_MAX then return refusedHold('limit-reached') end
  end
  local available = availableOf(goods)
  if available < quantity then return refusedHold('sold-out') end

  local wasHeld = row[HELD]
  if wasHeld == 0 then
    -- Nothing extends a hold: what is added later ends with what is there.
    row[UNTIL], row[SINCE], row[SESSION] = at + frozenForMs, at, session
    begin(shelf, row[UNTIL], user)
  end
  row[HELD] = wasHeld + quantity
  line.isChanged = true
  move(shelf, row[UNTIL], quantity)
  setGoods(shelf, at, quantity)
  tellHold(wasHeld, line, at, session)
  tellIfSoldOut(shelf, available, at)
  if keyed then keep(keyed, sku, frozenForMs, session, cjson.null, row[HELD], row[UNTIL]) end
  return { 'held', row[HELD], row[UNTIL] }
end

-- [verb, now, sku, user, quantity, limit, opensAt, closesAt, frozenForMs, session, number of its key or 0, key, fingerprint,
--  of how many SKUs the user has something or -1]
function verbs.hold(c) return hold(c[3], c[2], c[4], c[5], c[6], c[7], c[8], c[9], c[10], c[11] > 0 and c or nil, c[14]) end

-- [verb, now, sku, user, quantity, limit]
function verbs.change(c)
  local sku, user, quantity, limit = c[3], c[4], c[5], c[6]
  local shelf, at = seen(sku, c[2])
  if not shelf.goods then return refused('unknown-goods') end
  local line = settled(sku, user, at)
  local row = line.row
  if row[MARK] then return BUSY end
  if row[HELD] == 0 then return refused('no-hold') end
  local growth, available = quantity - row[HELD], availableOf(shelf.goods)
  -- Giving back is always possible, even when the limit has been lowered since.
  if growth > 0 and limit > 0 and row[ORDERED] + pendingOf(row, at) + quantity > limit then return refused('limit-reached') end
  if growth > available then return refused('sold-out') end
  local wasHeld = row[HELD]
  row[HELD] = quantity
  line.isChanged = true
  move(shelf, row[UNTIL], growth)
  setGoods(shelf, at, growth)
  tellHold(wasHeld, line, at, cjson.null)
  tellIfSoldOut(shelf, available, at)
  return { 'held', quantity, row[UNTIL] }
end

-- [verb, now, sku, user]
function verbs.release(c)
  local shelf, at = seen(c[3], c[2])
  local line = settled(c[3], c[4], at)
  local row = line.row
  if row[MARK] then return BUSY end
  if not shelf.goods or row[HELD] == 0 then return refused('no-hold') end
  local quantity = row[HELD]
  move(shelf, row[UNTIL], -quantity)
  setGoods(shelf, at, -quantity)
  row[HELD], row[UNTIL] = 0, 0
  line.isChanged = true
  tell({ type = 'hold.released', at = at, sku = c[3], userId = c[4], quantity = quantity })
  return { 'released', quantity }
end

-- [verb, now, sku, mode, onHand, priceCents]
function verbs.stock(c)
  local sku, mode, onHand, price = c[3], c[4], c[5], c[6]
  local shelf, at = seen(sku, c[2])
  local goods = shelf.goods
  if not goods and mode == 'update' then return refused('unknown-goods') end
  if mode == 'remove' then
    if not goods then return { 'removed' } end
    if goods[FROZEN] > 0 then return { 'frozen', goods[FROZEN] } end
    -- What has lapsed is dead by these goods' clock alone; if they come back, theirs may be earlier.
    local _, isClean = sweepShelf(shelf, at, SWEPT_MAX, {})
    if not isClean then
      shelf.isHalted = true
      return { 'unswept' }
    end
    shelf.goods = nil
    tell({ type = 'note.removed', sku = sku })
    goodsCount = goodsCount and goodsCount - 1
    return { 'removed' }
  end
  if not goods then
    goodsCount = goodsCount or call('HLEN', GOODS)
    if goodsCount >= GOODS_MAX then return refused('too-many-goods') end
    goodsCount = goodsCount + 1
    goods = { 0, 0, 0, price, at, 0, 0 }
  elseif onHand < goods[FROZEN] then
    return { 'frozen', goods[FROZEN] }
  end
  local available = availableOf(goods)
  shelf.goods, goods[ON_HAND], goods[PRICE] = goods, onHand, price
  setGoods(shelf, at, 0)
  tell({ type = 'note.stocked', at = at, sku = sku, stocked = onHand + goods[SOLD], priceCents = price })
  tellIfSoldOut(shelf, available, at)
  return { 'stocked', onHand, goods[FROZEN], goods[SOLD], price, at, goods[PENDING] }
end

-- [verb, now, sku, user, mode, userLevel, ordered]
function verbs.record(c)
  local sku, user, mode = c[3], c[4], c[5]
  local _, at = seen(sku, c[2])
  local line = settled(sku, user, at)
  local row = line.row
  if row[MARK] then return BUSY end
  if mode == 'update' and row[LEVEL] < 0 then return refused('no-record') end
  line.isChanged = true
  if mode == 'remove' then
    row[ORDERED], row[LEVEL] = 0, -1
    tell({ type = 'note.recorded', sku = sku, userId = user, ordered = 0, userLevel = -1 })
    return { 'removed' }
  end
  row[LEVEL], row[ORDERED] = c[6], c[7]
  tell({ type = 'note.recorded', sku = sku, userId = user, ordered = c[7], userLevel = c[6] })
  return { 'recorded', row[HELD], row[UNTIL], pendingOf(row, at), row[ORDERED], row[LEVEL] }
end

-- [verb, now, sku]
function verbs.expire(c)
  seen(c[3], c[2])
  return { 'expired' }
end

local LATER, replies = '["later"]', {}
-- Most replies of a batch are the same.
local heldQuantity, heldUntil, heldText
local function answer(reply)
  if reply[1] ~= 'held' then
    replies[#replies + 1] = cjson.encode(reply)
    return
  end
  if reply[2] ~= heldQuantity or reply[3] ~= heldUntil then heldQuantity, heldUntil, heldText = reply[2], reply[3], cjson.encode(reply) end
  replies[#replies + 1] = heldText
end

-- Holds that are a whole batch, where there is enough for all: nearly every batch of a crowd. Whoever has nothing in this partition gets what was asked for,
-- so those are decided as one and written as they came; a step in Lua for each would cost more than all that Redis does for them. The others are decided one by one.
-- Nobody's turn matters where there is enough.
-- @return whether it was so; otherwise nothing has happened
local function holdAtOnce(c)
  local _, now, sku, buyers, sessions, quantity, limit, opensAt, closesAt, frozenForMs = unpack(c)
  local shelf, at = seen(sku, now)
  local goods = shelf.goods
  if not goods or at < opensAt or (closesAt > 0 and at >= closesAt) or (limit > 0 and quantity > limit) then return false end
  local available = availableOf(goods)
  if available < quantity * #buyers then return false end
  local new, newSessions, isNew = buyers, sessions, nil
  for n, text in ipairs(call('HMGET', LINES, unpack(buyers))) do
    if text then
      isNew = isNew or {}
      stored[buyers[n]] = text
    end
  end
  if isNew then
    new, newSessions = {}, {}
    for n, user in ipairs(buyers) do
      isNew[n] = stored[user] == nil
      if isNew[n] then new[#new + 1], newSessions[#newSessions + 1] = user, sessions[n] end
    end
  end

  local untilMs, count = at + frozenForMs, #new
  if count > 0 then
    local head = headOfHeld(sku, quantity, untilMs, at)
    for n = 1, count do newLines[2 * n - 1], newLines[2 * n] = new[n], bookOfHeld(head, newSessions[n]) end
    -- A copy, where others may follow.
    shelf.begun[untilMs] = isNew and { unpack(new) } or new
    move(shelf, untilMs, quantity * count)
    setGoods(shelf, at, quantity * count)
    tell({ type = 'holds.created', at = at, sku = sku, quantity = quantity, heldUntil = untilMs, userIds = new, sessionIds = newSessions })
    tellIfSoldOut(shelf, available, at)
  end
  if not isNew then
    replies[1] = cjson.encode({ 'all', count, quantity, untilMs })
    return true
  end
  for n, user in ipairs(buyers) do
    if isNew[n] then
      answer({ 'held', quantity, untilMs })
    elseif shelf.isHalted then
      replies[#replies + 1] = LATER
    else
      answer(hold(sku, now, user, quantity, limit, opensAt, closesAt, frozenForMs, sessions[n], nil, -1))
    end
  end
  return true
end

local commands, whose = cjson.decode(ARGV[1]), {}
if #commands == 1 and commands[1][1] == 'holds' then
  if holdAtOnce(commands[1]) then return finishWith('[' .. table.concat(replies, ',') .. ']') end
end
for _, command in ipairs(commands) do
  local verb, user = command[1], command[4]
  if verb == 'holds' then
    for _, each in ipairs(user) do whose[#whose + 1] = each end
  elseif verb ~= 'stock' and verb ~= 'expire' then
    whose[#whose + 1] = user
  end
end
fetch(whose)

-- Holds without keys that differ in nothing but whose they are, in one go as far as their users have nothing at all, which is nearly always. What `hold`
-- decides of such a user depends on the goods alone.
-- [verb, now, sku, [user, ...], [session, ...], quantity, limit, opensAt, closesAt, frozenForMs], no user twice; one reply for each
local function holdAll(c)
  local _, now, sku, buyers, sessions, quantity, limit, opensAt, closesAt, frozenForMs = unpack(c)
  local shelf, at = seen(sku, now)
  local goods, taken = shelf.goods, 0
  local mayBuy = goods and at >= opensAt and (closesAt == 0 or at < closesAt) and (limit == 0 or quantity <= limit)
  local heldUntil = at + frozenForMs
  local head, held = headOfHeld(sku, quantity, heldUntil, at), cjson.encode({ 'held', quantity, heldUntil })
  for n, user in ipairs(buyers) do
    local session = sessions[n]
    local available = goods and availableOf(goods)
    local isNew = stored[user] == false and not books[user]
    if shelf.isHalted then
      replies[#replies + 1] = LATER
    elseif isNew and mayBuy and available >= quantity then
      -- Whoever asks for the line from now on finds it stored.
      stored[user] = bookOfHeld(head, session)
      newLines[#newLines + 1], newLines[#newLines + 2] = user, stored[user]
      begin(shelf, heldUntil, user)
      goods[FROZEN], taken = goods[FROZEN] + quantity, taken + quantity
      tellCreated(sku, user, session, at, quantity, heldUntil)
      tellIfSoldOut(shelf, available, at)
      replies[#replies + 1] = held
    else
      answer(hold(sku, now, user, quantity, limit, opensAt, closesAt, frozenForMs, session, nil, -1))
    end
  end
  if taken > 0 then
    move(shelf, heldUntil, taken)
    setGoods(shelf, at, 0)
  end
end

for _, command in ipairs(commands) do
  local verb = command[1]
  if verb == 'holds' then
    holdAll(command)
  elseif shelfOf(command[3]).isHalted then
    replies[#replies + 1] = LATER
  else
    answer(verbs[verb](command))
  end
end
return finishWith('[' .. table.concat(replies, ',') .. ']')
