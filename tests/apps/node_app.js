// A small web application on Node's own http module: `node node_app.js PORT`, or the path of a Unix socket.
//
// It handles no signal, so that SIGTERM ends it at once with whatever it has in flight, and it closes idle connections after one
// second, so that a proxy's kept connections are often found closed. Whoever stands before it has to see to it that nobody notices.
//
//   /            a greeting
//   /slow?ms=N   the same, after N milliseconds
//   /echo        the request's body

'use strict';

const http = require('node:http');

const where = process.argv[2];

const application = http.createServer((request, response) => {
  const url = new URL(request.url, 'http://localhost');
  response.setHeader('X-Replica', where);
  if (url.pathname === '/echo') {
    request.pipe(response);
  } else {
    setTimeout(() => response.end('hello\n'), Number(url.searchParams.get('ms') ?? 0));
  }
});

application.keepAliveTimeout = 1000;
application.listen(/^\d+$/.test(where) ? { port: Number(where), host: '127.0.0.1' } : { path: where });
