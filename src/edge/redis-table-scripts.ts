/** What Redis does for a shared table in one step each. All keys of a table have one hash tag. Needs Redis 6.2 or newer. */
import type { LuaScript } from "../core/redis.ts";

export const tableKey = (name: string, part: string): string => `{doorbuster:${name}}:${part}`;

/**
 * Changes the rows of a table if nobody has changed them since the caller looked.
 *
 * KEYS: head (hash: position, mark), rows (sorted set: id NUL text, all of score 0, so in the order of bytes), ends (sorted set: id by its end),
 *       log (stream: an entry per change under the id `position-0`), events (list, the oldest first).
 * ARGV: position and mark of the caller; the mark of this change; the changes as the log keeps them, JSON: for each its id, and its text unless the row
 *       is removed; most entries of the log; most entries that the answer needs; most events that may wait; how many changes, then the end of each or
 *       ""; then the events.
 * Reply: {"written"}; {"moved", position, mark, entries behind the caller's position}; {"full"}: too many events wait.
 *
 * The head is written first: when there is no memory left, that fails, and nothing has changed.
 */
export const WRITE: LuaScript = {
  name: "table-write",
  text: `
local head = redis.call('HMGET', KEYS[1], 'position', 'mark')
local position, mark = head[1] or '0', head[2] or ''
if position ~= ARGV[1] or mark ~= ARGV[2] then
  return {'moved', position, mark, redis.call('XRANGE', KEYS[4], '(' .. ARGV[1] .. '-0', '+', 'COUNT', ARGV[6])}
end
local changes = tonumber(ARGV[8])
local firstEvent = 9 + changes
local events = #ARGV - firstEvent + 1
if changes + events == 0 then return {'written'} end
if events > 0 and redis.call('LLEN', KEYS[5]) + events > tonumber(ARGV[7]) then return {'full'} end
local nextPosition = string.format('%.0f', tonumber(position) + 1)
redis.call('HSET', KEYS[1], 'position', nextPosition, 'mark', ARGV[3])
-- Somebody has removed the head and left the log: what it says is of another life.
if position == '0' then redis.call('DEL', KEYS[4]) end
-- Of several changes of one row the last one counts.
local last = {}
local rows = changes > 0 and cjson.decode(ARGV[4]) or {}
for i, row in ipairs(rows) do last[row[1]] = i end
local gone, put, ended, ends = {}, {}, {}, {}
for i, row in ipairs(rows) do
  local id, text = row[1], row[2]
  if last[id] == i then
    local member = text and id .. '\\0' .. text
    local old = redis.call('ZRANGEBYLEX', KEYS[2], '[' .. id .. '\\0', '(' .. id .. '\\1')
    for _, each in ipairs(old) do if each ~= member then gone[#gone + 1] = each end end
    if member and old[1] ~= member then put[#put + 1] = 0; put[#put + 1] = member end
    if ARGV[8 + i] ~= '' then ends[#ends + 1] = ARGV[8 + i]; ends[#ends + 1] = id
    elseif old[1] then ended[#ended + 1] = id end
  end
end
-- A few hundred to a command: Lua has no room for more arguments than some thousands.
local function all(command, key, arguments)
  for i = 1, #arguments, 1000 do redis.call(command, key, unpack(arguments, i, math.min(i + 999, #arguments))) end
end
all('ZREM', KEYS[2], gone)
all('ZADD', KEYS[2], put)
all('ZREM', KEYS[3], ended)
all('ZADD', KEYS[3], ends)
for i = firstEvent, #ARGV do redis.call('RPUSH', KEYS[5], ARGV[i]) end
redis.call('XADD', KEYS[4], 'MAXLEN', '=', ARGV[5], nextPosition .. '-0', 'before', mark, 'mark', ARGV[3], 'changes', ARGV[4])
return {'written'}
`,
};

/**
 * What stands in a table at one instant.
 *
 * KEYS: head, rows, log.
 * ARGV: the position behind which entries are wanted, or ""; most of them; how many rows are wanted; behind which id, or "".
 * Reply: {position, mark, entries, rows}
 */
export const LOOK: LuaScript = {
  name: "table-look",
  isUnconfirmed: true,
  text: `
local head = redis.call('HMGET', KEYS[1], 'position', 'mark')
local entries, rows = {}, {}
if ARGV[1] ~= '' then entries = redis.call('XRANGE', KEYS[3], '(' .. ARGV[1] .. '-0', '+', 'COUNT', ARGV[2]) end
if ARGV[3] ~= '0' then
  local from = '-'
  if ARGV[4] ~= '' then from = '(' .. ARGV[4] .. '\\1' end
  rows = redis.call('ZRANGEBYLEX', KEYS[2], from, '+', 'LIMIT', 0, ARGV[3])
end
return {head[1] or '0', head[2] or '', entries, rows}
`,
};

/**
 * Takes the telling of events for a while, or keeps it.
 *
 * KEYS: lease. ARGV: who, for how many milliseconds. Reply: 1, or 0 when somebody else has it.
 */
export const LEASE: LuaScript = {
  name: "table-lease",
  text: `
local owner = redis.call('GET', KEYS[1])
if owner and owner ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
`,
};
