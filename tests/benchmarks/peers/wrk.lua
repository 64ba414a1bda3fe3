-- Script for wrk: sends one body in POST requests, or GET requests without a body, and prints one line for wrk.py.
-- Arguments after `--`: the file of the body ("-" for none), then headers as NAME:VALUE.
function init(words)
  if words[1] ~= "-" then
    local file = assert(io.open(words[1], "rb"))
    wrk.method, wrk.body = "POST", file:read("*a")
    file:close()
  end
  for index = 2, #words do
    local name, value = words[index]:match("([^:]+):(.*)")
    wrk.headers[name] = value
  end
  request_text = wrk.format()
end

function request()
  return request_text
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    "lectern-bench %d %d %d %d %.1f %.1f %.1f\n",
    summary.requests, summary.duration, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50), latency:percentile(99), latency.max))
end
