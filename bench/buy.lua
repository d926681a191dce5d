-- Purchases for wrk: the contract's request body, every one with a userID of its own, all of one length.
-- Arguments, after `--`:
--   first    number of this run's first purchase, so that no two runs of a round share a user
--   users    how many users there are; purchase n is made by user (n * stride) % users + 1
--   stride   1, or a number without a common divisor with users: spreads the purchases over them, and repeats nobody before all had one
--   skus     1: every purchase is for SKU0001; N: one of S000001 ... S00000N, at random
--   address  the clientIP; crowd: every purchase comes from another address, at random from 100.0.0.0 to 119.255.255.255
--   keyed    1: every purchase has an Idempotency-Key of its own
--   tokens   a file with one token in a line, the first for user 1; -: no tokens
--   refreshed  nobody buys, everybody asks for this path; -: everybody buys
-- Prints one line of JSON at the end. There is no `response` function: reading replies in Lua would slow the generator more than the
-- server. Accepted purchases are counted where they must show, in the inventory.

local n, users, stride, skus, keyed, tokens, refresh, crowd
local head, before_address, before_user, after_user, after_sku

-- Always 15 characters: the length of a body is in its head.
local function address()
  local random = math.random
  return string.format("%d.%d.%d.%d", random(100, 119), random(100, 255), random(100, 255), random(100, 255))
end

function init(args)
  n, users, stride, skus = tonumber(args[1]), tonumber(args[2]), tonumber(args[3]), tonumber(args[4])
  keyed = args[6] == "1"
  math.randomseed(n + 1)
  if args[8] ~= "-" then refresh = "GET " .. args[8] .. " HTTP/1.1\r\nHost: " .. wrk.host .. "\r\n\r\n" end
  if args[7] ~= "-" then
    tokens = {}
    for token in io.lines(args[7]) do tokens[#tokens + 1] = "Authorization: Bearer " .. token .. "\r\n" end
  end
  crowd = args[5] == "crowd"
  before_address = '{"sessionID":"xxxx","clientIP":"'
  local body = before_address .. (crowd and address() or args[5]) .. '","userID":"UID'
  after_user = '","userLevel":5,"goodsSKU":"'
  after_sku = '","goodsQuantity":1}'
  local length = #body + 10 + #after_user + 7 + #after_sku
  head = "POST /buy HTTP/1.1\r\nHost: " .. wrk.host .. "\r\nContent-Type: application/json\r\nContent-Length: " .. length .. "\r\n"
  before_user = "\r\n" .. body
  before_address = "\r\n" .. before_address
  -- Joined here once and not for every request.
  if not keyed and not tokens and not crowd then head = head .. before_user end
end

function request()
  if refresh then return refresh end
  local number = (n * stride) % users + 1
  local user = string.format("%010d", number)
  local sku = "SKU0001"
  if skus > 1 then sku = string.format("S%06d", math.random(skus)) end
  n = n + 1
  if crowd then return head .. before_address .. address() .. '","userID":"UID' .. user .. after_user .. sku .. after_sku end
  if not keyed and not tokens then return head .. user .. after_user .. sku .. after_sku end
  local token = tokens and tokens[number] or ""
  local key = keyed and string.format("Idempotency-Key: bench-%010d\r\n", n) or ""
  return head .. token .. key .. before_user .. user .. after_user .. sku .. after_sku
end

function done(summary)
  local errors = summary.errors
  io.write(string.format('\n{"requests":%d,"bytes":%d,"notOk":%d,"broken":%d}\n',
    summary.requests, summary.bytes, errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
