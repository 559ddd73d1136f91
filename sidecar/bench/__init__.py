"""`ecluse bench`: what an application carries, found by open-loop load in steps, and the scaling rule that follows.

`aim` (where to send) -> `runner` (one load after the other) -> `plan` (which rate is next, and when it is enough) -> `knee` (where the
application begins to suffer) -> `rule` (what to write in the configuration) -> `report`, `chart`, `picture`. All but `runner`, `aim` and
`hold` are pure functions over the steps.
"""
