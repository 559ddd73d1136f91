"""The autoscaler's side of proxies that run apart: finding them, giving them routing tables, adding up what they count.

`path.py` is the data path made of all of them, `remote.py` one of them, `link.py` the way to it over HTTP, `sums.py` the arithmetic.
"""
