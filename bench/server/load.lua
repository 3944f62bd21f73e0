-- Requests for wrk: `wrk -s load.lua URL -- CLASSES CLIENTS`. Bodies are made before the clock runs; a client's name is
-- put into a body as it is sent. Prints one line of JSON.
local bodies, head, clients, seed = {}, {}, 0, 1

function setup(thread)
  thread:set('number', seed)
  seed = seed + 1
end

function init(args)
  local classes = tonumber(args[1]) or 10
  clients = tonumber(args[2]) or 0
  math.randomseed(20261124 + number)
  for i = 1, 64 do
    local values, sum = {}, 0
    for k = 1, classes do
      values[k] = math.random() ^ 8 + 1e-6
      sum = sum + values[k]
    end
    for k = 1, classes do values[k] = string.format('%.6g', values[k] / sum) end
    bodies[i] = '"input_data":"text ' .. i .. '","model_output":[' .. table.concat(values, ',') .. ']}'
  end
  wrk.method = 'POST'
  wrk.headers['content-type'] = 'application/json'
end

function request()
  local rest = bodies[math.random(64)]
  if clients == 0 then return wrk.format(nil, nil, nil, '{' .. rest) end
  return wrk.format(nil, nil, nil, '{"client_id":"client ' .. math.random(clients) .. '",' .. rest)
end

function done(summary, latency)
  local e = summary.errors
  io.write(string.format(
    '{"requests":%d,"seconds":%.6f,"p50":%.1f,"p99":%.1f,"errors":%d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50), latency:percentile(99),
    e.connect + e.read + e.write + e.status + e.timeout))
end
