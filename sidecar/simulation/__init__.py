"""Recorded traffic played to the autoscaler in virtual time: the sampler and the decisions are the real ones, only the requests, the
replicas and the clock are a model. `trace` reads what was recorded, `play` plays it, `report`, `chart` and `page` show what came of it."""
