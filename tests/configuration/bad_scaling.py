"""Mistakes under `autoscale` and `resources`, and every line that must be said about each: as in `bad`."""

from tests.configuration.bad import Bad, made, service

NAME = "must be a name of 1 to 63 letters, digits, -, _ and ., that begins with a letter"


def entry(text: str) -> str:
    """A file with one entry under metrics: it begins in line 4, column 27."""
    return service(f"autoscale: {{metrics: [{text}]}}")


def said(column: int, rest: str) -> tuple[str]:
    return (f"4:{column}: services.shop.autoscale.metrics[0]{rest}",)


SIGNALS = (
    Bad(
        "a signal needs a target",
        entry("{type: external, name: jobs}"),
        said(27, ": needs target or value"),
        seen_by_schema=False,
    ),
    Bad(
        "a signal has one target",
        entry("{type: external, name: jobs, target: 1, value: 2}"),
        said(67, ".value: cannot stand beside target: one of the two says it"),
        seen_by_schema=False,
    ),
    Bad(
        "what is pushed needs a name",
        entry("{type: external, target: 1}"),
        said(27, ': needs the key "name"'),
    ),
    Bad(
        "a name that is a metric of our own",
        entry("{type: external, name: cpu_value, target: 1}"),
        said(50, ".name: cannot be cpu_value, which is a metric of its own: choose another name"),
        seen_by_schema=False,
    ),
    Bad(
        "a name that is none",
        entry("{type: external, name: '1 job', target: 1}"),
        said(50, f".name: {NAME}; got '1 job'"),
        seen_by_schema=False,
    ),
    Bad(
        "a name twice",
        entry("{type: external, name: a, target: 1}, {type: external, name: a, target: 2}"),
        ("4:88: services.shop.autoscale.metrics[1].name: a is given twice",),
        seen_by_schema=False,
    ),
    Bad(
        "the HPA's word for a target",
        entry("{type: external, name: a, averageValue: 1}"),
        said(53, ".averageValue: is target here: what the number may be for each replica"),
    ),
    Bad(
        "credentials in a URL, which are not shown",
        entry("{type: prometheus, server: 'http://me:secret@p:9090', query: up, target: 1}"),
        said(54, ".server: has credentials in it, which would be shown in messages: send them along instead, ..."),
        seen_by_schema=False,
    ),
    Bad(
        "a URL of another kind",
        entry("{type: prometheus, server: 'ftp://p', query: up, target: 1}"),
        said(54, ".server: must be a URL such as http://prometheus:9090; got 'ftp://p'"),
        seen_by_schema=False,
    ),
    Bad(
        "a server with a query of its own",
        entry("{type: prometheus, server: 'http://p/?x=1', query: up, target: 1}"),
        said(54, ".server: must be the server's URL alone, such as http://prometheus:9090; the query goes under query"),
        seen_by_schema=False,
    ),
    Bad(
        "a fragment",
        entry("{type: json, url: 'http://p/#x', target: 1}"),
        said(45, ".url: has a part after #, which is never sent: take it out"),
        seen_by_schema=False,
    ),
    Bad(
        "a document nowhere",
        entry("{type: json, target: 1}"),
        said(27, ": needs url or path"),
        seen_by_schema=False,
    ),
    Bad(
        "a value for the whole service from each replica",
        entry("{type: json, path: /stats, value: 1}"),
        said(54, ".value: is for a url: each replica is asked for the path, so give target, for each"),
        seen_by_schema=False,
    ),
    Bad(
        "a pointer that is none",
        entry("{type: json, path: /stats, pointer: queue, target: 1}"),
        said(63, ".pointer: must be a JSON Pointer such as /queue/length (\"\" for the whole document); got 'queue'"),
        seen_by_schema=False,
    ),
    Bad(
        "a secret where a mapping should be, which is not shown",
        entry("{type: json, path: /s, target: 1, headers: secret}"),
        said(70, ".headers: must be a mapping of names and values"),
    ),
    Bad(
        "the value of a header, which is not shown",
        entry("{type: json, path: /s, target: 1, headers: {a: 'sécret'}}"),
        said(74, ".headers.a: must be 1 to 4096 visible ASCII characters, with spaces only between them"),
        seen_by_schema=False,
    ),
    Bad(
        "names of headers",
        entry("{type: json, path: /s, target: 1, headers: {a b: c, Content-Length: 1}}"),
        (
            '4:71: services.shop.autoscale.metrics[0].headers."a b": the name of a header has 1 to 256 letters, digits, - and _',
            "4:79: services.shop.autoscale.metrics[0].headers.Content-Length: is a field of the connection itself, which cannot be chosen",
        ),
        seen_by_schema=False,
    ),
    Bad(
        "no value between two reads",
        entry("{type: json, path: /s, target: 1, interval: 1m, stale_after: 30s}"),
        said(88, ".stale_after: must not be less than interval, which is 1m: there would be no value between two reads"),
        seen_by_schema=False,
    ),
)

SCHEDULES = (
    Bad(
        "a schedule that changes nothing",
        entry("{type: schedule, start: 0 8 * * *, end: 0 18 * * *}"),
        said(27, ": needs min_replicas, max_replicas or priority: what holds from start to end"),
        seen_by_schema=False,
    ),
    Bad(
        "a cron expression that is none",
        entry("{type: schedule, start: 0 8 * *, end: 0 25 * * *, min_replicas: 1}"),
        (
            "4:51: services.shop.autoscale.metrics[0].start: '0 8 * *' is not a cron expression: it has five fields, ...",
            "4:65: services.shop.autoscale.metrics[0].end: '0 25 * * *' is not a cron expression: ...",
        ),
        seen_by_schema=False,
    ),
    Bad(
        "a time zone that is none",
        entry("{type: schedule, timezone: Mars/Base, start: 0 8 * * *, end: 0 9 * * *, min_replicas: 1}"),
        said(54, ".timezone: 'Mars/Base' is not a time zone of the IANA database, such as Europe/Paris or UTC"),
        seen_by_schema=False,
    ),
    Bad(
        "bounds that cross",
        entry("{type: schedule, start: 0 8 * * *, end: 0 9 * * *, min_replicas: 3, max_replicas: 2}"),
        said(109, ".max_replicas: must not be less than min_replicas, which is 3"),
        seen_by_schema=False,
    ),
    Bad(
        "zero without scale_to_zero",
        entry("{type: schedule, start: 0 8 * * *, end: 0 9 * * *, min_replicas: 0}"),
        said(92, ".min_replicas: 0 needs scale_to_zero under autoscale, which is what goes there"),
        seen_by_schema=False,
    ),
)

USAGE = (
    Bad("a share or an amount", entry("{type: cpu}"), said(27, ": needs target or average_value"), seen_by_schema=False),
    Bad(
        "not both",
        entry("{type: memory, target: 70%, averageValue: 1GiB}"),
        said(55, ".averageValue: cannot stand beside target: one of the two says it"),
        seen_by_schema=False,
    ),
    Bad(
        "an amount of cores",
        entry("{type: cpu, average_value: 1GiB}"),
        said(54, ".average_value: must be a number of processor cores such as 0.5 or 500m; got '1GiB'"),
    ),
    Bad(
        "a limit for a command",
        service("resources: {cpus: 1, requests: {cpus: 500m}}"),
        (
            "4:17: services.shop.resources.cpus: is a limit, which command cannot be given here: "
            "what a replica needs goes under resources.requests",
        ),
        seen_by_schema=False,
    ),
    Bad(
        "a limit for copies",
        made("docker", "compose: web", "resources: {memory: 1GiB}"),
        ("5:17: services.shop.resources.memory: is a limit, which compose cannot be given here: ...",),
        seen_by_schema=False,
    ),
)

RULES = (
    Bad(
        "an objective that is none",
        service("autoscale: {slo: fast}"),
        ("4:22: services.shop.autoscale.slo: must be an objective such as p95 under 300ms, or a mapping; got 'fast'",),
    ),
    Bad(
        "a percentile that cannot be",
        service("autoscale: {slo: p100 under 300ms}"),
        ("4:22: services.shop.autoscale.slo: must be from 1 to 99.99; got '100'",),
        seen_by_schema=False,
    ),
    Bad(
        "bounds of what is learned that cross",
        service("autoscale: {slo: {latency: 1s, min_concurrency: 5, max_concurrency: 4}}"),
        ("4:73: services.shop.autoscale.slo.max_concurrency: must not be less than min_concurrency, which is 5",),
        seen_by_schema=False,
    ),
    Bad(
        "how many at first",
        service("autoscale: {min_replicas: 2, max_replicas: 3, initial_replicas: 9}"),
        ("4:69: services.shop.autoscale.initial_replicas: must not be more than max_replicas, which is 3",),
        seen_by_schema=False,
    ),
    Bad(
        "a pause of another kind",
        service("autoscale: {pause: up}"),
        ("4:24: services.shop.autoscale.pause: must be one of none, down, all; got 'up'",),
    ),
    Bad(
        "a forecast that is neither said nor described",
        service("autoscale: {forecast: maybe}"),
        ("4:27: services.shop.autoscale.forecast: must be a mapping of keys and values; got 'maybe'",),
    ),
    Bad(
        "schedules are among the metrics",
        service("autoscale: {schedules: []}"),
        ("4:17: services.shop.autoscale.schedules: stand among metrics: ...",),
    ),
    Bad(
        "a budget of nothing",
        "budget: {}\n" + service(),
        ("1:1: budget: needs replicas, cpus or memory: what all services may have together",),
        seen_by_schema=False,
    ),
    Bad(
        "a budget that cannot hold the minimums",
        "budget: {replicas: 2}\n" + service("autoscale: {min_replicas: 3}"),
        ("1:20: budget.replicas: must not be less than what all min_replicas take together, which is 3",),
        seen_by_schema=False,
    ),
    Bad(
        "a replica that takes nobody knows how much",
        "budget: {cpus: 2}\n" + service(),
        ("3:3: services.shop: needs resources.requests.cpus: what a replica takes of budget.cpus",),
        seen_by_schema=False,
    ),
)

SCALING = (*SIGNALS, *SCHEDULES, *USAGE, *RULES)
