-- Postgres has committed what was done to some parts of orders: they are no longer under way.
--
-- ARGV   1 as JSON, per part [sku, user, order]
-- Reply  "done"
for _, part in ipairs(cjson.decode(ARGV[1])) do
  local line = lineOf(part[1], part[2])
  if line.row[MARK] == part[3] then unmark(line, part[3]) end
end
return finish('done')
