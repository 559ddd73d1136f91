"""The configuration files of the peers and of the origin, as text to be filled in.

Each peer is a keep-alive reverse proxy as its own documentation recommends it, adds X-Forwarded-For and writes no access log. HAProxy is
told to splice always: with `splice-auto` it was seen not to splice 10 MiB answers at all (strace, HAProxy 2.6). It counts on two
descriptors for each connection, which idle ones do not take: without `no strict-limits` it would not start where the system allows fewer,
and without the pool ratios it would close its connections to the origin while many to clients are open.
nginx's `user` counts for root only, and lets its workers into a temporary folder that is ours alone.
"""

ORIGIN = """
user root; worker_processes 1; daemon off; pid {folder}/origin.pid; error_log {folder}/origin.err;
events {{ worker_connections 30000; }}
http {{
  access_log off; keepalive_requests 1000000000; client_max_body_size 0; client_body_buffer_size 64k; open_file_cache max=16;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{
    listen 127.0.0.1:{port} backlog=4096 reuseport; listen unix:{folder}/origin.sock backlog=4096; root {folder}/files;
    location = / {{ return 200 "{small}"; }}
    location / {{ }}
  }}
}}
"""

NGINX = """
user root; worker_processes {workers}; daemon off; pid {folder}/nginx-{port}.pid; error_log {folder}/nginx-{port}.err;
events {{ worker_connections {connections}; }}
http {{
  access_log off; keepalive_requests 1000000000; client_max_body_size 0; proxy_request_buffering off;
  client_body_temp_path {folder}/nb; proxy_temp_path {folder}/np;
  fastcgi_temp_path {folder}/nf; uwsgi_temp_path {folder}/nu; scgi_temp_path {folder}/ns;
  upstream origin {{ server {origin}; keepalive 128; keepalive_requests 1000000000; }}
  server {{
    listen 127.0.0.1:{port} backlog=4096 reuseport;
    location / {{
      proxy_pass http://origin; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_set_header Host $http_host; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_max_temp_file_size 0;
    }}
  }}
}}
"""

HAPROXY = """
global
  nbthread {workers}
  maxconn {connections}
  no strict-limits
  tune.pool-low-fd-ratio 99
  tune.pool-high-fd-ratio 100
defaults
  mode http
  timeout connect 5s
  timeout client 75s
  timeout server 60s
  option forwardfor
  option splice-request
  option splice-response
  http-reuse always
frontend front
  bind 127.0.0.1:{port} backlog 4096
  default_backend back
backend back
  server origin {origin} pool-max-conn 128
"""

ECLUSE = """
listen: 127.0.0.1:{port}
admin: {{listen: "127.0.0.1:{admin}"}}
workers: {workers}
state: false
limits: {{connections: {connections}}}
services:
  origin:
    endpoints: ["{origin}"]
    probes: {{readiness: {{path: /}}}}
"""
