-- wrk's script for steady load: a pause between requests on each connection, and a summary for programs.
--   wrk -s steady.lua URL -- PAUSE_MS
-- Whatever is not 200 is said on stderr with its body, so that a lost request has a cause and not only a number.

local pause = 0

function init(args)
   pause = tonumber(args[1] or "0")
end

function delay()
   return pause
end

function response(status, _, body)
   if status ~= 200 then
      io.stderr:write(status, " ", body, "\n")
   end
end

function done(summary, latency, _)
   local errors = summary.errors
   io.write(string.format(
      '\n{"requests": %d, "status": %d, "connect": %d, "read": %d, "write": %d, "timeout": %d, "longest_us": %d}\n',
      summary.requests, errors.status, errors.connect, errors.read, errors.write, errors.timeout, latency.max))
end
