"""The kinds of work that are measured: what wrk sends, as data."""

from dataclasses import dataclass

BROWSER = r"""
-- A browser's request: about 900 octets of header fields; path and cookie change from request to request.
local fields = {
  ["Host"] = "shop.example.com", ["Connection"] = "keep-alive", ["Cache-Control"] = "max-age=0",
  ["sec-ch-ua"] = '"Chromium";v="128", "Not;A=Brand";v="24", "Google Chrome";v="128"', ["sec-ch-ua-mobile"] = "?0",
  ["sec-ch-ua-platform"] = '"Linux"', ["Upgrade-Insecure-Requests"] = "1",
  ["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/128.0.0.0 Safari/537.36",
  ["Accept"] = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8",
  ["Sec-Fetch-Site"] = "same-origin", ["Sec-Fetch-Mode"] = "navigate", ["Sec-Fetch-User"] = "?1", ["Sec-Fetch-Dest"] = "document",
  ["Referer"] = "http://shop.example.com/catalogue?page=2", ["Accept-Encoding"] = "gzip, deflate, br, zstd",
  ["Accept-Language"] = "en-GB,en;q=0.9,fr;q=0.8",
}
local count = 0
request = function()
  count = count + 1
  fields["Cookie"] = string.format("session=%032x; theme=dark; seen=%d; basket=%08x", count * 7919, count, count % 65521)
  return wrk.format("GET", string.format("/?item=%d", count), fields)
end
"""

POST = r"""
wrk.method = "POST"
wrk.body = string.rep("x", 4096)
wrk.headers["Content-Type"] = "application/octet-stream"
"""

CLOSE = r"""
wrk.headers["Connection"] = "close"
"""


@dataclass(frozen=True, slots=True)
class Work:
    """One kind of work. octets: moved per request, where octets per CPU-second are what counts."""

    name: str
    path: str
    connections: int = 64
    script: str = ""
    octets: int = 0


WORKS = (
    Work("small", "/"),
    Work("browser", "/", script=BROWSER),
    Work("16k", "/16k"),
    Work("post", "/", script=POST),
    Work("10m", "/10m", connections=8, octets=10 * 1024 * 1024),
    Work("connect", "/", connections=32, script=CLOSE),
)
