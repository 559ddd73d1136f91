// Node's own HTTP parser: says of each request what it read, in a field. Prints its port.
const server = require("node:http").createServer({ insecureHTTPParser: false }, (request, response) => {
  const parts = [];
  request.on("data", (part) => parts.push(part));
  request.on("end", () => {
    response.setHeader("X-Read", read(request, Buffer.concat(parts).toString("latin1")));
    response.end();
  });
});
const read = (request, body) =>
  Buffer.from(JSON.stringify({ method: request.method, target: request.url, body })).toString("base64");
server.on("checkExpectation", (request, response) => server.emit("request", request, response));
server.on("upgrade", (request, socket) => {
  socket.end(`HTTP/1.1 200 OK\r\nX-Read: ${read(request, "")}\r\nContent-Length: 0\r\n\r\n`);
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
