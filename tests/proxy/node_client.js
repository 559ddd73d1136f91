// What Node's own HTTP client and raw sockets see of the application at PORT; one JSON object on standard output.
const http = require("http");
const net = require("net");

const port = Number(process.argv[2]);
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });

function ask(options, body) {
  return new Promise((resolve, reject) => {
    const request = http.request({ port, host: "127.0.0.1", agent, ...options }, (response) => {
      const pieces = [];
      response.on("data", (piece) => pieces.push(piece));
      response.on("end", () => resolve({
        status: response.statusCode,
        body: Buffer.concat(pieces).toString(),
        framing: response.headers["x-framing"],
        reused: request.reusedSocket,
        complete: response.complete,
      }));
      response.on("error", reject);
    });
    request.on("error", reject);
    if (options.expecting) {
      request.on("continue", () => request.end(body));
      request.flushHeaders();
    } else {
      for (const piece of Array.isArray(body) ? body : []) request.write(piece);
      request.end(Array.isArray(body) ? undefined : body);
    }
  });
}

function pipelined(count) {
  return new Promise((resolve, reject) => {
    const socket = net.connect(port, "127.0.0.1");
    let text = "";
    for (let number = 0; number < count; number++) {
      const last = number === count - 1 ? "Connection: close\r\n" : "";
      socket.write(`POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\n${last}\r\n<${String(number).padStart(3, "0")}>`);
    }
    socket.on("data", (data) => { text += data; });
    socket.on("end", () => resolve([...text.matchAll(/<(\d{3})>/g)].map((match) => Number(match[1]))));
    socket.on("error", reject);
  });
}

function upgraded() {
  return new Promise((resolve, reject) => {
    const request = http.request({
      port, host: "127.0.0.1", path: "/ws", agent: false,
      headers: { Connection: "Upgrade", Upgrade: "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==" },
    });
    request.on("upgrade", (response, socket) => {
      socket.destroy();
      resolve([response.statusCode, response.headers["sec-websocket-accept"]]);
    });
    request.on("error", reject);
    request.end();
  });
}

(async () => {
  const seen = {
    first: await ask({ path: "/echo" }),
    second: await ask({ path: "/stream" }),
    chunked: await ask({ path: "/echo", method: "POST" }, ["one ", "two ", "three"]),
    expecting: await ask({ path: "/echo", method: "PUT", headers: { Expect: "100-continue", "Content-Length": 5 }, expecting: true }, "hello"),
    head: await ask({ path: "/echo", method: "HEAD" }),
    empty: await ask({ path: "/status/204" }),
    pipelined: await pipelined(200),
    upgraded: await upgraded(),
  };
  agent.destroy();
  console.log(JSON.stringify(seen));
})();
