-- SPDX-License-Identifier: BSD-2-Clause
-- Records in a heap of many times the memory: made, sorted by a key, looked up, thrown away and
-- made again, ROUNDS times. Prints sums that depend on nothing but N.
N = N or 30000
ROUNDS = ROUNDS or 1

local seed = 1
local function random()
  seed = (seed * 1103515245 + 12345) % 2147483648
  return seed
end

local function make(count)
  local records = {}
  for i = 1, count do
    local key = string.format("%010d", random())
    records[i] = { key = key, number = i, text = string.rep(string.sub(key, 5), 8) }
  end
  return records
end

local function sum(records)
  local total = 0
  for i = 1, #records do
    total = (total * 31 + records[i].number + string.byte(records[i].text, i % 40 + 1)) % 16777213
  end
  return total
end

for round = 1, ROUNDS do
  local records = make(N)
  table.sort(records, function(a, b)
    if a.key ~= b.key then return a.key < b.key end
    return a.number < b.number
  end)
  print("round " .. round, sum(records), records[1].key, records[#records].key)
  local index = {}
  for i = 1, #records do index[records[i].text] = i end
  local found = 0
  for i = 1, 5000 do
    local at = index[records[random() % #records + 1].text]
    found = (found * 7 + at) % 16777213
  end
  print("found", found)
end
print("heap", collectgarbage("count") > N * 0.2)
