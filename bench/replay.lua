-- replay.lua FILE: sends the whole HTTP requests that stand in FILE, each ended by \1, one after the other and round again,
-- and prints what came of it as one line of JSON. Times are microseconds.
local requests, last = {}, 0

function init(args)
  local file = assert(io.open(args[1], "rb"))
  for one in file:read("*a"):gmatch("[^\1]+") do requests[#requests + 1] = one end
  file:close()
end

function request()
  last = last % #requests + 1
  return requests[last]
end

function done(summary, latency)
  local e = summary.errors
  io.write(string.format('\n{"requests":%d,"took":%d,"p50":%d,"p99":%d,"refused":%d,"failed":%d}\n', summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99), e.status, e.connect + e.read + e.write + e.timeout))
end
