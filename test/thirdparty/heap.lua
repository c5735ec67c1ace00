-- SPDX-License-Identifier: BSD-2-Clause
-- Records in a heap of many times the memory: made, read in order twice, their keys sorted,
-- looked up at random, thrown away and made again, ROUNDS times. Prints sums that depend on
-- nothing but N, and whether the heap has been over 8 MiB.
N = N or 20000
ROUNDS = ROUNDS or 1

local seed = 1
local function random()
  seed = (seed * 1103515245 + 12345) % 2147483648
  return seed
end

local function make(count)
  local records, keys = {}, {}
  for i = 1, count do
    local key = string.format("%010d", random())
    records[i] = { key = key, number = i, text = string.rep(key, 32) }
    keys[i] = tonumber(key)
  end
  return records, keys
end

local function sum(records)
  local total = 0
  for i = 1, #records do
    local r = records[i]
    total = (total * 31 + r.number + string.byte(r.text, i % 320 + 1)) % 16777213
  end
  return total
end

for round = 1, ROUNDS do
  local records, keys = make(N)
  print("heap over 8 MiB", collectgarbage("count") > 8192)
  for pass = 1, 2 do
    print("round " .. round, "pass " .. pass, sum(records))
  end
  table.sort(keys)
  print("keys", keys[1], keys[math.floor(N / 2)], keys[N])
  local found = 0
  for i = 1, 5000 do
    local r = records[random() % N + 1]
    found = (found * 7 + r.number + #r.text + tonumber(r.key)) % 16777213
  end
  print("found", found)
end
os.exit(0) -- leaves the heap as it is: closing it would visit every string in the order of their hashes
