"""An open-loop load generator: requests begin when they are due, however long the earlier ones take, as users do.

A closed loop (each connection waits for its answer before it sends again) sends less just when the application is slow, and so hides
it: "coordinated omission". Here every latency counts from the moment at which the request was due.

The way of a request: `arrivals` (when each is due) -> `generator` (one epoll loop) -> `connection` -> `answer` (read strictly) -> `tally`.
Nothing here knows what the load is for; `ecluse bench` and `python -m benchmarks` do. `python -m sidecar.load` runs one load.
"""
