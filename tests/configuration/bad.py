"""Files with mistakes, and every line that must be said about each: the table that the reader and the JSON Schema are held to.

`said` holds "LINE:COLUMN: KEY: MESSAGE", whole or (with ... at the end) its beginning. `seen_by_schema`: an editor with the schema
marks it, too.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Bad:
    claim: str
    text: str
    said: tuple[str, ...]
    seen_by_schema: bool = True


def service(*lines: str) -> str:
    """A file with one service that has a command, and these lines: they begin in line 4, column 5."""
    return "\n".join(("services:", "  shop:", "    command: app", *(f"    {line}" for line in lines)))


def made(engine: str, *lines: str) -> str:
    """A file for an engine, with one service of these lines: they begin in line 4, column 5."""
    return "\n".join((f"engine: {engine}", "services:", "  shop:", *(f"    {line}" for line in lines)))


KNOWN = (
    "(known: command, environment, directory, image, compose, container, swarm, port, networks, volumes, resources, labels, stop_signal, "
    "healthcheck, pull, endpoints, dns, routes, rate_limits, balance, probes, autoscale)"
)
DURATION = "must be a duration such as 30s, 5m or 250ms"
NEEDS_SOURCE = "needs one of command, image, compose, container, swarm, endpoints and dns"
NAME = "must be a name of 1 to 63 letters, digits, -, _ and ., that begins with a letter or digit"
VOLUME = "must be a volume as in Compose, such as data:/var/lib/app, ./app:/srv/app:ro or /tmp"
ENDPOINT = "must be an endpoint such as unix:///var/run/docker.sock, tcp://10.0.0.5:2376 or ssh://user@10.0.0.5"
FREE_PORTS = "has no meaning here: replicas of a command get free ports ({port} in the command, ..."

UNKNOWN_KEYS = (
    Bad(
        "an unknown key is marked at the key, with the nearest known one",
        service("balence: {}"),
        (f'4:5: services.shop.balence: unknown key; did you mean "balance"? {KNOWN}',),
    ),
    Bad(
        "an unknown key like no other gets the list only",
        service("zebra: 1"),
        (f"4:5: services.shop.zebra: unknown key {KNOWN}",),
    ),
    Bad(
        "at the top",
        "lisen: 80\n" + service(),
        ('1:1: lisen: unknown key; did you mean "listen"? (known: engine, docker, listen, ...',),
    ),
    Bad(
        "a mistyped command is not also a missing one",
        "services:\n  shop:\n    comand: app",
        (f'3:5: services.shop.comand: unknown key; did you mean "command"? {KNOWN}',),
    ),
    Bad(
        "a mistyped key that is needed is not also a missing one",
        made("docker", "compose: {servce: web}"),
        ('4:15: services.shop.compose.servce: unknown key; did you mean "service"? (known: service, project)',),
    ),
    Bad(
        "in a list, with the keys of that type of metric",
        service("autoscale:", "  metrics:", "    - {type: concurrency, target: 3, percentile: 9}"),
        ("6:42: services.shop.autoscale.metrics[0].percentile: unknown key (known: type, target, target_utilization)",),
    ),
    Bad(
        "the same key in both spellings",
        service("autoscale: {max_replicas: 2, maxReplicas: 3}"),
        ("4:34: services.shop.autoscale.maxReplicas: is the same as max_replicas, which is given already",),
        seen_by_schema=False,
    ),
    Bad(
        "odd keys are quoted and cut short",
        f"'a.b{'c' * 100}': 1\n" + service(),
        (f'1:1: "a.b{"c" * 57}...": unknown key (known: engine, ...',),
    ),
    Bad(
        "metric types of later versions say so",
        service("autoscale: {metrics: [{type: kafka, target: 70%}]}"),
        (
            "4:34: services.shop.autoscale.metrics[0].type: metric type 'kafka' is not available in this version; "
            "available: concurrency, rps, queue, latency, cpu, memory, prometheus, json, external, schedule",
        ),
    ),
    Bad(
        "keys of Compose that are not here say what is",
        made("docker", "image: shop", "build: .", "ports: ['80:80']", "cpus: 1", "mem_limit: 1g", "restart: always"),
        (
            "5:5: services.shop.build: is for Compose: build the image there, and give its name here under image",
            "6:5: services.shop.ports: would give all replicas one port of the machine: give the port that they listen on ...",
            "7:5: services.shop.cpus: stands under resources: resources: {cpus: 0.5}",
            "8:5: services.shop.mem_limit: stands under resources: resources: {memory: 256MiB}",
            "9:5: services.shop.restart: has no meaning here: replicas that end are started again",
        ),
    ),
    Bad(
        "a stack is part of the name",
        made("swarm", "swarm: {service: web, stack: shop}"),
        ("4:27: services.shop.swarm.stack: is part of the service's name: service: STACK_SERVICE",),
    ),
    Bad(
        "a mistyped key of the endpoint",
        "docker: {hosts: 'unix:///a'}\n" + service(),
        ('1:10: docker.hosts: unknown key; did you mean "host"? (known: host, cert_path, tls_verify, owner, labels)',),
    ),
    Bad(
        "engines of later versions say so",
        "engine: kubernetes\n" + service(),
        ("1:9: engine: kubernetes is not available in this version, which has processes, docker and swarm",),
    ),
    Bad(
        "no engine at all",
        "engine: dokcer\n" + service(),
        ("1:9: engine: must be one of processes, docker, swarm; got 'dokcer'; did you mean \"docker\"?",),
    ),
)

VALUES = (
    Bad(
        "a duration",
        service("balance: {queue_timeout: soon}"),
        (f"4:30: services.shop.balance.queue_timeout: {DURATION}; got 'soon'",),
    ),
    Bad(
        "a duration of zero",
        "timeouts: {head: 0s}\n" + service(),
        ("1:18: timeouts.head: must be from 1ms to 1d; got '0s'",),
        seen_by_schema=False,
    ),
    Bad(
        "a period beyond the HPA's 30 minutes, in its own spelling",
        service("autoscale:", "  behavior:", "    scaleUp:", "      policies: [{type: Pods, value: 4, periodSeconds: 1801}]"),
        ("7:60: services.shop.autoscale.behavior.scaleUp.policies[0].periodSeconds: must be from 1s to 30m; got '1801'",),
    ),
    Bad(
        "a window beyond the HPA's hour",
        service("autoscale: {behavior: {scale_down: {stabilization_window: 3601}}}"),
        ("4:63: services.shop.autoscale.behavior.scale_down.stabilization_window: must be from 0s to 1h; got '3601'",),
    ),
    Bad(
        "a policy of no replicas",
        service("autoscale: {behavior: {scale_up: {policies: [{type: replicas, value: 0}]}}}"),
        ("4:74: services.shop.autoscale.behavior.scale_up.policies[0].value: must be from 1 to 16384; got '0'",),
    ),
    Bad(
        "a size",
        "limits: {head: 8 apples}\n" + service(),
        ("1:16: limits.head: must be a size such as 512, 32k or 1MiB; got '8 apples'",),
    ),
    Bad(
        "a size out of bounds",
        "limits: {head: 2MiB}\n" + service(),
        ("1:16: limits.head: must be from 512 to 1MiB; got '2MiB'",),
        False,
    ),
    Bad(
        "a share that lacks its per cent sign",
        service("autoscale: {metrics: [{type: rps, target: 5, target_utilization: 70}]}"),
        ("4:70: services.shop.autoscale.metrics[0].target_utilization: must be from 1% to 100%; got '70'",),
    ),
    Bad(
        "a cpu target that lacks its per cent sign",
        service("autoscale: {metrics: [{type: cpu, target: 70}]}"),
        ("4:47: services.shop.autoscale.metrics[0].target: must be from 1% to 1000%; got '70'",),
    ),
    Bad(
        "far more memory than a replica needs",
        service("autoscale: {metrics: [{type: memory, target: 1001%}]}"),
        ("4:50: services.shop.autoscale.metrics[0].target: must be from 1% to 1000%; got '1001%'",),
        False,
    ),
    Bad(
        "a cpu target that is no share",
        service("autoscale: {metrics: [{type: cpu, target: 300ms}]}"),
        ("4:47: services.shop.autoscale.metrics[0].target: must be a share such as 70% or 0.7; got '300ms'",),
    ),
    Bad(
        "a utilization of what is a utilization already",
        service("autoscale: {metrics: [{type: cpu, target: 70%, target_utilization: 80%}]}"),
        ("4:52: services.shop.autoscale.metrics[0].target_utilization: unknown key (known: type, target, average_value)",),
    ),
    Bad("a whole number", "workers: 1.5\n" + service(), ("1:10: workers: must be a whole number such as 3; got '1.5'",)),
    Bad("too many workers", "workers: 65\n" + service(), ("1:10: workers: must be from 0 to 64; got '65'",)),
    Bad(
        "rise of nothing",
        service("probes: {readiness: {rise: 0}}"),
        ("4:32: services.shop.probes.readiness.rise: must be from 1 to 100; ...",),
    ),
    Bad(
        "true or false",
        service("autoscale: {dry_run: maybe}"),
        ("4:26: services.shop.autoscale.dry_run: must be true or false; got 'maybe'",),
    ),
    Bad(
        "one of some words, with the nearest",
        service("balance: {policy: round-robin}"),
        (
            "4:23: services.shop.balance.policy: must be one of p2c, round_robin, least_request, random; got 'round-robin'; "
            'did you mean "round_robin"?',
        ),
    ),
    Bad(
        "an address in a list",
        "listen: [8080, localhost]\n" + service(),
        (
            "1:16: listen[1]: must be an address and port such as 8080, 127.0.0.1:8080 or [::]:8080, with a port from 0 to 65535; "
            "got 'localhost'",
        ),
        seen_by_schema=False,
    ),
    Bad(
        "an address by itself",
        "listen: 1.2.3.4:99999\n" + service(),
        ("1:9: listen: must be an address and port ...",),
        seen_by_schema=False,
    ),
    Bad(
        "a proxy that is no address, and one inside its network",
        "trusted_proxies: [proxy, 10.0.0.5/8]\n" + service(),
        (
            "1:19: trusted_proxies[0]: must be an IP address or network such as 10.0.0.7, 10.0.0.0/8 or fd00::/8; got 'proxy'",
            "1:26: trusted_proxies[1]: is an address inside the network 10.0.0.0/8; write that, or the address alone",
        ),
        seen_by_schema=False,
    ),
    Bad(
        "endpoints, short and long",
        "services: {a: {endpoints: ['web:80', {address: 'unix:run'}, {weight: 0}]}}",
        (
            "1:28: services.a.endpoints[0]: must be an IP address and port such as 10.0.0.5:8000 or [::1]:8000, or a socket such as "
            "unix:/run/app.sock (a name that is looked up goes under dns), with a port from 1 to 65535; got 'web:80'",
            "1:48: services.a.endpoints[1].address: must be unix: and an absolute path of at most 107 bytes; got 'unix:run'",
            '1:61: services.a.endpoints[2]: needs the key "address"',
            "1:70: services.a.endpoints[2].weight: must be from 1 to 256; got '0'",
        ),
    ),
    Bad(
        "a name without a port",
        "services: {a: {dns: tasks}}",
        ("1:21: services.a.dns: must be a name and port such as tasks.web:8000; got 'tasks'",),
        seen_by_schema=False,
    ),
    Bad(
        "routes",
        service("routes:", "  - {host: 'shop:80', path: api}", "  - {path: /a/../b}"),
        (
            "5:16: services.shop.routes[0].host: must be a host name such as shop.example.com or *.example.com, without a port ...",
            "5:33: services.shop.routes[0].path: must be a path that begins with /, such as /api, ...",
            "6:16: services.shop.routes[1].path: must be a path without empty, . and .. segments; got '/a/../b'",
        ),
        seen_by_schema=False,
    ),
    Bad(
        "statuses",
        service("probes: {readiness: {path: /, expect: [200, 700, 399-200]}}"),
        (
            "4:49: services.shop.probes.readiness.expect[1]: must be a status or a range of them, such as 200 or 200-399; got '700'",
            "4:54: services.shop.probes.readiness.expect[2]: must be a range that goes up, such as 200-399; got '399-200'",
        ),
    ),
    Bad(
        "a command with an open quote",
        """services: {a: {command: "sh -c 'exec"}}""",
        ("1:25: services.a.command: cannot be split into words (no closing quotation); close the quote, or write a list",),
        seen_by_schema=False,
    ),
    Bad(
        "an empty command",
        "services: {a: {command: []}}",
        ("1:25: services.a.command: must not be empty; it must be a list of words ...",),
    ),
    Bad(
        "a command with a word that is none",
        "services: {a: {command: [sh, {port}]}}",
        ("1:30: services.a.command[1]: must be one word of the command; put it in quotes; got a mapping",),
    ),
    Bad(
        "a command with two addresses",
        "services: {a: {command: 'app --port {port} --uds {socket}'}}",
        ("1:25: services.a.command: names both {port} and {socket}; a replica gets its requests at one of them: choose one",),
        seen_by_schema=False,
    ),
    Bad(
        "variables as a list",
        service("environment: [A=1, B, A=2]"),
        ("4:24: services.shop.environment[1]: must be KEY=VALUE; got 'B'",),
    ),
    Bad(
        "variables as a mapping",
        service("environment: {A: , B: [x]}"),
        (
            '4:21: services.shop.environment.A: has no value; it must be text (write "" for an empty value)',
            '4:27: services.shop.environment.B: must be text (write "" for an empty value); got a list',
        ),
    ),
    Bad(
        "a token is not shown",
        "admin: {token: 'my secret'}\n" + service(),
        ("1:16: admin.token: must be 1 to 512 visible ASCII ...",),
        False,
    ),
    Bad(
        "names of the admin API that are none, or given twice",
        "admin: {hosts: ['*.example.com', 'admin:9090', 'fd00::g', '[::1', 'http://admin']}\n" + service(),
        tuple(
            f"1:{column}: admin.hosts[{index}]: must be a host name or IP address such as admin.example.com or fd00::7, without a port; ..."
            for index, column in enumerate((17, 34, 48, 59, 67))
        ),
        seen_by_schema=False,
    ),
    Bad(
        "a name of the admin API that is given twice",
        "admin: {hosts: [Admin.example.com, admin.example.com.]}\n" + service(),
        ("1:36: admin.hosts[1]: admin.example.com is given twice",),
        seen_by_schema=False,
    ),
    Bad("a log without a file", "access_log: {format: clf}\n" + service(), ('1:1: access_log: needs the key "file"',)),
    Bad(
        "a metric without type or target",
        service("autoscale: {metrics: [{target: 5}, {type: rps}, {type: [x]}]}"),
        (
            '4:27: services.shop.autoscale.metrics[0]: needs the key "type"',
            '4:40: services.shop.autoscale.metrics[1]: needs the key "target"',
            "4:60: services.shop.autoscale.metrics[2].type: must be one of "
            "concurrency, rps, queue, latency, cpu, memory, prometheus, json, external, schedule; got a list",
        ),
    ),
)

ENDPOINTS = (
    Bad(
        "endpoints that are none, each with what was probably meant",
        "docker: {host: [/var/run/docker.sock, '10.0.0.5:2376', 'udp://a', 'unix://run/x', 'tcp://a:99999']}\n" + service(),
        (
            f"1:17: docker.host[0]: {ENDPOINT}; got '/var/run/docker.sock'; did you mean unix:///var/run/docker.sock?",
            f"1:39: docker.host[1]: {ENDPOINT}; got '10.0.0.5:2376'; did you mean tcp://10.0.0.5:2376?",
            f"1:56: docker.host[2]: {ENDPOINT}; got 'udp://a'",
            f"1:67: docker.host[3]: {ENDPOINT}; got 'unix://run/x'",
            f"1:83: docker.host[4]: {ENDPOINT}, with a port from 1 to 65535; got 'tcp://a:99999'",
        ),
        seen_by_schema=False,
    ),
    Bad(
        "endpoints of other worlds",
        "docker:\n  host: ['npipe:////./pipe/docker_engine', 'fd://', 'http://a:2375', 'https://a:2376']\n" + service(),
        (
            "2:10: docker.host[0]: 'npipe:////./pipe/docker_engine' is a named pipe of Windows, where ecluse does not run: ...",
            "2:44: docker.host[1]: 'fd://' is what dockerd is started with, not what it is reached at: write unix:///var/run/...",
            "2:53: docker.host[2]: 'http://a:2375' must be written with tcp://, as in DOCKER_HOST",
            "2:70: docker.host[3]: 'https://a:2376' must be written with tcp://, as in DOCKER_HOST, and tls_verify: true beside it",
        ),
        seen_by_schema=False,
    ),
    Bad(
        "a socket with too long a path",
        f"docker: {{host: 'unix:///{'a' * 107}'}}\n" + service(),
        ("1:16: docker.host: must be unix:// and an absolute path of at most 107 bytes; got 'unix:///aaaa...",),
        seen_by_schema=False,
    ),
    Bad(
        "a manager twice, and no such certificates",
        "docker:\n  host: ['tcp://a', 'tcp://a/']\n  cert_path: nowhere\n" + service(),
        ("2:21: docker.host[1]: tcp://a is given twice", "3:14: docker.cert_path: is not a directory: ..."),
        seen_by_schema=False,
    ),
    Bad(
        "an owner that could not stand in a label, and flags that are none",
        "docker: {owner: 'us and them', tls_verify: 1, labels: maybe}\n" + service(),
        (
            f"1:17: docker.owner: {NAME}; got 'us and them'",
            "1:44: docker.tls_verify: must be true or false; got '1'",
            "1:55: docker.labels: must be true or false; got 'maybe'",
        ),
    ),
    Bad(
        "an endpoint without a value",
        "docker: {host: }\n" + service(),
        ("1:15: docker.host: has no value; it must be a list",),
        False,
    ),
    Bad(
        "proxies without a port, without a token, and twice",
        "proxies: [proxy, '10.0.0.300:1', 'tasks.proxy:70000']\n" + service(),
        (
            "1:11: proxies[0]: must be an address or name and a port, such as 10.0.0.7:9090 or tasks.proxy:9090; got 'proxy'",
            "1:18: proxies[1]: must be an address or name and a port, such as 10.0.0.7:9090 or tasks.proxy:9090, with a port ...",
            "1:34: proxies[2]: must be a name and port such as tasks.web:8000, with at most ...",
        ),
        seen_by_schema=False,
    ),
    Bad(
        "proxies elsewhere, whom nobody could tell that it is us",
        "proxies: ['127.0.0.1:9090', 'tasks.proxy:9090', 'localhost:9090']\n" + service(),
        (
            "1:10: proxies: needs a token, since tasks.proxy:9090 is not a loopback address: admin: {token: ${NAME}}, the same for all",
            "1:49: proxies[2]: 127.0.0.1:9090 is given twice",
        ),
        seen_by_schema=False,
    ),
)

CONTAINERS = (
    Bad(
        "an image that cannot be one",
        made("docker", "image: 'shop:'"),
        (
            "4:12: services.shop.image: must be the name of an image such as shop:1.4.2 or registry.example.com/team/shop@sha256:...; "
            "got 'shop:'",
        ),
        seen_by_schema=False,
    ),
    Bad(
        "an image in capitals",
        made("docker", "image: Shop:1"),
        (
            "4:12: services.shop.image: must be the name of an image such as ..., in lower case; got 'Shop:1'".replace(
                "...", "shop:1.4.2 or registry.example.com/team/shop@sha256:..."
            ),
        ),
        seen_by_schema=False,
    ),
    Bad(
        "a port out of range",
        made("docker", "image: shop", "port: 80000"),
        ("5:11: services.shop.port: must be from 1 to 65535; got '80000'",),
    ),
    Bad(
        "networks in which nobody is reached, and one twice",
        made("docker", "image: shop", "networks: [host, none, 'a b']")
        + "\n  b: {image: b, networks: [x, x], routes: [{path: /b}]}",
        (
            "5:16: services.shop.networks[0]: cannot be host: all replicas would have to listen on one and the same port; ...",
            "5:22: services.shop.networks[1]: cannot be none: a replica without a network gets no requests; leave networks out",
            f"5:28: services.shop.networks[2]: {NAME}; got 'a b'",
            "6:31: services.b.networks[1]: x is given twice",
        ),
        seen_by_schema=False,
    ),
    Bad(
        "volumes",
        made("docker", "image: shop", "volumes: [data, '~/a:/a', 'x:b', '/a:/b:or', 'a b:/b', '/a::/b', 'a:/b:/c:ro']"),
        (
            f"5:15: services.shop.volumes[0]: {VOLUME}; got 'data'",
            "5:21: services.shop.volumes[1]: '~/a:/a' has a ~, which would be another home on another machine: write the whole path",
            f"5:31: services.shop.volumes[2]: {VOLUME}; got 'x:b'",
            "5:38: services.shop.volumes[3]: has the mode 'or'; it must be ro, rw, ...",
            f"5:50: services.shop.volumes[4]: {VOLUME}; got 'a b:/b'",
            f"5:60: services.shop.volumes[5]: {VOLUME}; got '/a::/b'",
            f"5:70: services.shop.volumes[6]: {VOLUME}; got 'a:/b:/c:ro'",
        ),
        seen_by_schema=False,
    ),
    Bad(
        "two volumes in one place",
        made("docker", "image: shop", "volumes: ['a:/data', './b:/data:ro']"),
        ("5:26: services.shop.volumes[1]: /data has a volume already",),
        seen_by_schema=False,
    ),
    Bad(
        "resources",
        made("docker", "image: shop", "resources: {cpus: 0, memory: 1MiB, disk: 1GiB}"),
        (
            "5:23: services.shop.resources.cpus: must be from 0.01 to 1024; got '0'",
            "5:34: services.shop.resources.memory: must be from 6MiB to 65536GiB; got '1MiB'",
            "5:40: services.shop.resources.disk: unknown key (known: cpus, memory, requests)",
        ),
    ),
    Bad(
        "labels that are keys of the file, or none",
        made("docker", "image: shop", "labels: {ecluse.port: 80, 'a b': c}"),
        (
            '5:14: services.shop.labels."ecluse.port": labels that begin with ecluse. are keys of this file: write them as such, ...',
            '5:31: services.shop.labels."a b": the name of a label has 1 to 255 characters, without spaces and =',
        ),
        seen_by_schema=False,
    ),
    Bad(
        "labels as a list",
        made("docker", "image: shop", "labels: [a=1, b]"),
        ("5:19: services.shop.labels[1]: must be KEY=VALUE; got 'b'",),
    ),
    Bad(
        "signals that there are not",
        made("docker", "image: shop", "stop_signal: SIGTREM") + "\n  b: {image: b, stop_signal: 99, routes: [{path: /b}]}",
        (
            "5:18: services.shop.stop_signal: must be a signal such as SIGTERM, QUIT or 15; got 'SIGTREM'; did you mean \"SIGTERM\"?",
            "6:30: services.b.stop_signal: must be a signal such as SIGTERM, QUIT or 15, from 1 to 64; got '99'",
        ),
        seen_by_schema=False,
    ),
    Bad(
        "a health check whose list says not how it is run",
        made("docker", "image: shop", "healthcheck: {test: [curl, localhost], retries: 0}"),
        (
            "5:26: services.shop.healthcheck.test[0]: must be CMD, CMD-SHELL or NONE, and the words of the command after it; got 'curl'",
            "5:53: services.shop.healthcheck.retries: must be from 1 to 100; got '0'",
        ),
    ),
    Bad(
        "a health check without a command",
        made("docker", "image: shop", "healthcheck: {test: [CMD]}"),
        ("5:25: services.shop.healthcheck.test: must be [NONE], [CMD-SHELL, LINE] or [CMD, PROGRAM, ARGUMENT...]",),
        seen_by_schema=False,
    ),
    Bad(
        "a health check with a word that is none",
        made("docker", "image: shop", "healthcheck: {test: [CMD, [a]]}"),
        ("5:31: services.shop.healthcheck.test[1]: must be one word of the command; put it in quotes; got a list",),
    ),
    Bad(
        "an empty health check",
        made("docker", "image: shop", "healthcheck: {test: ''}"),
        (
            "5:25: services.shop.healthcheck.test: must be one line for a shell, or a list that begins with CMD, CMD-SHELL or NONE; "
            "got ''",
        ),
    ),
    Bad(
        "a health check that is not done needs no times",
        made("docker", "image: shop", "healthcheck: {disable: true, test: curl, interval: 1s}"),
        (
            "5:34: services.shop.healthcheck.test: means nothing to a check that is not done; take it out",
            "5:46: services.shop.healthcheck.interval: means nothing to a check that is not done; take it out",
        ),
        seen_by_schema=False,
    ),
    Bad(
        "pulled when",
        made("docker", "image: shop", "pull: allways"),
        ("5:11: services.shop.pull: must be one of missing, always, never; got 'allways'; did you mean \"always\"?",),
    ),
    Bad(
        "sources in full, with mistakes",
        "services: {a: {compose: {project: Shop}}, b: {swarm: {service: -x, network: host}, routes: [{path: /b}]}}",
        (
            '1:16: services.a.compose: needs the key "service"',
            "1:35: services.a.compose.project: must be a Compose project's name: 1 to 63 small letters, digits, - and _; got 'Shop'",
            f"1:64: services.b.swarm.service: {NAME}; got '-x'",
            "1:77: services.b.swarm.network: cannot be host: ...",
        ),
    ),
    Bad(
        "sources without a value",
        "services: {a: {compose: }, b: {image: , routes: [{path: /b}]}}",
        (
            "1:24: services.a.compose: has no value; it must be a mapping of keys and values",
            "1:38: services.b.image: has no value; it must be the name of an image such as shop:1.4.2 ...",
        ),
    ),
)

ENGINES = (
    Bad(
        "an image without an engine for it names the engines",
        "services:\n  shop:\n    image: shop:1",
        (
            "3:5: services.shop.image: needs engine: docker or engine: swarm at the top of the file; "
            "with engine: processes a service needs command",
        ),
        seen_by_schema=False,
    ),
    Bad(
        "a Compose service needs docker",
        made("swarm", "compose: web"),
        (
            "4:5: services.shop.compose: needs engine: docker at the top of the file; with engine: swarm a service needs swarm or image",
        ),
        seen_by_schema=False,
    ),
    Bad(
        "a Swarm service needs swarm",
        made("docker", "swarm: shop_web"),
        (
            "4:5: services.shop.swarm: needs engine: swarm at the top of the file; "
            "with engine: docker a service needs image or compose or container",
        ),
        seen_by_schema=False,
    ),
    Bad(
        "a command needs processes",
        made("docker", "command: app"),
        (
            "4:5: services.shop.command: needs engine: processes at the top of the file; "
            "with engine: docker a service needs image or compose or container",
        ),
        seen_by_schema=False,
    ),
    Bad(
        "a command and a Compose service on a Swarm",
        made("swarm", "command: app", "compose: web"),
        (
            "4:5: services.shop.command: needs engine: processes or engine: docker at the top of the file; "
            "with engine: swarm a service needs swarm or image",
        ),
        seen_by_schema=False,
    ),
    Bad(
        "an image and a Compose service",
        made("docker", "image: shop", "compose: web"),
        ("5:5: services.shop.compose: cannot stand beside image: containers are made from an image, or copied from ...",),
        seen_by_schema=False,
    ),
    Bad(
        "a Compose service and a container",
        made("docker", "compose: web", "container: web"),
        ("5:5: services.shop.container: cannot stand beside compose: containers are made from an image, or copied from ...",),
        seen_by_schema=False,
    ),
    Bad(
        "a container of one letter",
        made("docker", "container: w"),
        ("4:16: services.shop.container: must be a container's name: 2 to 128 letters, digits, -, _ and ., ...",),
        seen_by_schema=False,
    ),
    Bad(
        "a copied container is not stopped for want of requests",
        made("docker", "container: web", "autoscale: {scale_to_zero: {}}"),
        ("5:17: services.shop.autoscale.scale_to_zero: cannot go to 0 with container: ...",),
        seen_by_schema=False,
    ),
    Bad(
        "fixed endpoints beside an image",
        made("docker", "image: shop", "endpoints: ['10.0.0.1:80']"),
        ("5:5: services.shop.endpoints: cannot stand beside image: endpoints and dns stand alone",),
        seen_by_schema=False,
    ),
    Bad(
        "a port for what gets a free one",
        service("port: 8000"),
        (f"4:5: services.shop.port: {FREE_PORTS}",),
        seen_by_schema=False,
    ),
    Bad(
        "keys of an image without one",
        made("docker", "compose: web", "networks: x", "volumes: /tmp", "pull: never", "environment: [A=1]", "directory: ."),
        (
            "5:5: services.shop.networks: is for a service with an image only; replicas of compose are copies of its containers",
            "6:5: services.shop.volumes: is for a service with an image only; replicas of compose are copies of its containers",
            "7:5: services.shop.pull: is for a service with an image only; replicas of compose are copies of its containers",
            "8:5: services.shop.environment: is for a service with a command or an image only; replicas of compose are copies of ...",
            "9:5: services.shop.directory: is for a service with a command only; replicas of compose are copies of its containers",
        ),
        seen_by_schema=False,
    ),
    Bad(
        "resources of local processes and of a Swarm's service",
        "services:\n  a: {command: a, resources: {cpus: 1}}\n  b: {swarm: b, labels: [a=b], routes: [{path: /b}]}",
        (
            "2:31: services.a.resources.cpus: is a limit, which command cannot be given here: what a replica needs goes under ...",
            "3:7: services.b.swarm: needs engine: swarm at the top of the file; with engine: processes a service needs command",
            "3:17: services.b.labels: is for a service with an image only; replicas of swarm are made as that service says",
        ),
        seen_by_schema=False,
    ),
    Bad(
        "a Unix socket in a container",
        made("docker", "image: shop", "command: 'serve --uds {socket}'"),
        ("5:14: services.shop.command: names {socket}, which means nothing to a container: write {port}",),
        seen_by_schema=False,
    ),
    Bad(
        "the project's own containers are not stopped for want of requests",
        made("docker", "compose: web", "autoscale: {scale_to_zero: {}}"),
        (
            "5:17: services.shop.autoscale.scale_to_zero: cannot go to 0 with compose: containers that others made are never stopped, "
            "and replicas are copied from them",
        ),
        seen_by_schema=False,
    ),
    Bad(
        "nor with a minimum of 0",
        made("docker", "compose: web", "autoscale: {minReplicas: 0}"),
        (
            "5:17: services.shop.autoscale.minReplicas: cannot go to 0 with compose: ...",
            "5:30: services.shop.autoscale.minReplicas: 0 needs scale_to_zero beside it, such as ...",
        ),
        seen_by_schema=False,
    ),
    Bad(
        "labels that are not looked at take no service's place",
        "engine: docker\ndocker: {labels: false}",
        ('1:1: needs the key "services"',),
        seen_by_schema=False,
    ),
    Bad(
        "what follows from an unknown engine is not said",
        made("dokcer", "image: shop", "command: '{socket}'"),
        ("1:9: engine: must be one of processes, docker, swarm; ...",),
    ),
)

SHAPES = (
    Bad("no services", "workers: 1", ('1:1: needs the key "services"',), False),
    Bad("services without one", "services: {}", ("1:11: services: must not be empty",)),
    Bad(
        "a key without a value",
        service("balance:"),
        ("4:13: services.shop.balance: has no value; it must be a mapping of keys and values",),
    ),
    Bad(
        "a mapping where a value should be",
        "workers: {a: 1}\n" + service(),
        ("1:10: workers: must be a whole number such as 3; got a mapping",),
    ),
    Bad("a value where a list should be", service("routes: /"), ("4:13: services.shop.routes: must be a list; got '/'",)),
    Bad("an empty list", service("routes: []"), ("4:13: services.shop.routes: must not be empty",)),
    Bad(
        "a service's name",
        "services: {'my shop': {command: app}}",
        ('1:12: services."my shop": a service\'s name has 1 to 63 letters, ...',),
    ),
)

TOGETHER = (
    Bad("a service of nothing", "services:\n  shop: {}", (f"2:3: services.shop: {NEEDS_SOURCE}",), False),
    Bad(
        "a service of two kinds",
        service("dns: 'tasks:80'"),
        ("4:5: services.shop.dns: cannot stand beside command: endpoints and dns stand alone",),
        seen_by_schema=False,
    ),
    Bad(
        "scaling what is not started here",
        "services:\n  a:\n    dns: 'tasks:80'\n    autoscale: {max_replicas: 3}",
        ("4:5: services.a.autoscale: is for what can be started only; replicas of dns are not started here",),
        seen_by_schema=False,
    ),
    Bad(
        "more at least than at most",
        service("autoscale: {minReplicas: 5, maxReplicas: 3}"),
        ("4:46: services.shop.autoscale.maxReplicas: must not be less than min_replicas, which is 5",),
        seen_by_schema=False,
    ),
    Bad(
        "zero without saying when",
        service("autoscale: {min_replicas: 0}"),
        (
            "4:31: services.shop.autoscale.min_replicas: 0 needs scale_to_zero beside it, such as scale_to_zero: {idle_after: 10m}",
        ),
        seen_by_schema=False,
    ),
    Bad(
        "to zero with at least one",
        service("autoscale: {min_replicas: 1, scale_to_zero: {}}"),
        ("4:34: services.shop.autoscale.scale_to_zero: needs min_replicas: 0; it is 1",),
        seen_by_schema=False,
    ),
    Bad(
        "a fallback out of bounds",
        service("autoscale: {min_replicas: 2, max_replicas: 3, fallback: {replicas: 9}}"),
        ("4:72: services.shop.autoscale.fallback.replicas: must not be more than max_replicas, which is 3",),
        seen_by_schema=False,
    ),
    Bad(
        "a burst no shorter than the rest",
        service("autoscale: {stable_window: 10s, burst: {window: 10s}}"),
        ("4:53: services.shop.autoscale.burst.window: must be less than stable_window, which is 10s",),
        seen_by_schema=False,
    ),
    Bad(
        "an http probe's keys without a path",
        service("probes: {readiness: {expect: 200}}"),
        ("4:26: services.shop.probes.readiness.expect: means nothing to a probe without path, which only connects; ...",),
        seen_by_schema=False,
    ),
    Bad(
        "a route that another service owns",
        "services:\n  a: {command: a, routes: [{path: /x/}]}\n  b: {command: b, routes: [{path: /y}, {path: /x}]}",
        ("3:40: services.b.routes[1]: host (any), path /x is a route of services.a already",),
        seen_by_schema=False,
    ),
    Bad(
        "a route twice in one service",
        service("routes: [{path: /x}, {path: /x/}]"),
        ("4:26: services.shop.routes[1]: host (any), path /x is a route of services.shop already",),
        seen_by_schema=False,
    ),
    Bad(
        "two services for all requests",
        "services:\n  a: {command: a}\n  b: {command: b}",
        (
            "3:3: services.b: gets all requests (host (any), path /), since it has no routes; but that is a route of services.a ...",
        ),
        seen_by_schema=False,
    ),
    Bad(
        "an endpoint twice",
        "services: {a: {endpoints: ['[::1]:80', '[0::1]:80']}}",
        ("1:40: services.a.endpoints[1]: [::1]:80 is given twice",),
        seen_by_schema=False,
    ),
    Bad(
        "an admin API for all the world without a token",
        "admin:\n  listen: :9090\n" + service(),
        ("2:11: admin.listen: needs a token beside it, since it is not a loopback address: ...",),
        seen_by_schema=False,
    ),
    Bad(
        "a state directory without a name",
        "state:\n" + service(),
        ("1:7: state: has no value; it must be a directory, or false",),
    ),
    Bad(
        "one port for two listeners",
        "listen: [8080, 127.0.0.1:8080]\nadmin: {listen: 127.0.0.1:8080}\n" + service(),
        (
            "1:16: listen[1]: 127.0.0.1:8080 is taken by listen: 0.0.0.0:8080",
            "2:17: admin.listen: 127.0.0.1:8080 is taken by listen: 0.0.0.0:8080",
        ),
        seen_by_schema=False,
    ),
    Bad(
        "a request line longer than its head",
        "limits:\n  head: 4KiB\n" + service(),
        ("2:9: limits.head: must not be less than request_line, which is 8KiB",),
        seen_by_schema=False,
    ),
    Bad(
        "more replicas than there is room for",
        "services:\n  a: {command: a, autoscale: {max_replicas: 16384}}\n  b: {command: b, routes: [{path: /b}]}",
        ("1:1: services: may come to ...",),
        seen_by_schema=False,
    ),
    Bad(
        "directories that are not there",
        "access_log: {file: nowhere/a.log}\n" + service("directory: nowhere"),
        (
            "1:20: access_log.file: is in a directory that does not exist: ...",
            "5:16: services.shop.directory: is not a directory: ...",
        ),
        seen_by_schema=False,
    ),
    Bad(
        "what follows from a wrong value is not said",
        service("autoscale: {min_replicas: none, scale_to_zero: {}, fallback: {replicas: 0}}"),
        ("4:31: services.shop.autoscale.min_replicas: must be a whole number such as 3; got 'none'",),
    ),
    Bad(
        "all mistakes at once, of every kind",
        "workers: x\n" + service("bad: 1", "autoscale: {min_replicas: 5, max_replicas: 3}") + "\n  b: {}",
        (
            "1:10: workers: must be a whole number such as 3; got 'x'",
            f"5:5: services.shop.bad: unknown key {KNOWN}",
            "6:48: services.shop.autoscale.max_replicas: must not be less than min_replicas, which is 5",
            "7:3: services.b: gets all requests (host (any), path /), since it has no routes; ...",
            f"7:3: services.b: {NEEDS_SOURCE}",
        ),
    ),
)

PROBING = (
    Bad(
        "an exec probe without a command",
        service("probes: {liveness: {type: exec}}"),
        ("4:31: services.shop.probes.liveness.type: needs the key command beside it: what is run in the replica",),
        seen_by_schema=False,
    ),
    Bad(
        "a path for a command",
        service("probes: {startup: {command: check, path: /x}}"),
        ("4:40: services.shop.probes.startup.path: means nothing to an exec probe; add path or type: http",),
        seen_by_schema=False,
    ),
    Bad(
        "a service that no kind of probe asks for",
        service("probes: {readiness: {type: tcp, service: a.B}}"),
        ("4:37: services.shop.probes.readiness.service: means nothing to a tcp probe; take it out",),
        seen_by_schema=False,
    ),
    Bad(
        "a port for a command",
        service("probes: {liveness: {command: check, port: 80}}"),
        ("4:41: services.shop.probes.liveness.port: means nothing to an exec probe; take it out",),
        seen_by_schema=False,
    ),
    Bad(
        "a rise of liveness",
        service("probes: {liveness: {rise: 2}}"),
        ("4:25: services.shop.probes.liveness.rise: unknown key (known: path, command, ...",),
    ),
)

BALANCING = (
    Bad(
        "a rate without a unit that is known",
        service("rate_limits: [{rate: 10/d}]"),
        ("4:26: services.shop.rate_limits[0].rate: must be a rate such as 10/s or 600/m; got '10/d'",),
    ),
    Bad(
        "a rate that is none",
        service("rate_limits: [{rate: 0}]"),
        ("4:26: services.shop.rate_limits[0].rate: must be from 0.0001/s to 1000000/s; got '0'",),
    ),
    Bad(
        "a rate limit without a rate",
        service("rate_limits: [{burst: 3}]"),
        ('4:19: services.shop.rate_limits[0]: needs the key "rate"',),
    ),
    Bad(
        "a limit per header without the header",
        service("rate_limits: [{per: header, rate: 1}]"),
        ("4:25: services.shop.rate_limits[0].per: needs the key header beside it: the header whose value counts",),
        seen_by_schema=False,
    ),
    Bad(
        "a header that does not count",
        service("routes: [{rate_limits: [{per: address, header: X-Key, rate: 1}]}]"),
        ("4:44: services.shop.routes[0].rate_limits[0].header: means nothing to per: address; take one of them out",),
        seen_by_schema=False,
    ),
    Bad(
        "a header that none can be",
        service("rate_limits: [{header: 'X Key', rate: 1}]"),
        ("4:28: services.shop.rate_limits[0].header: must be the name of a header, such as X-Api-Key; got 'X Key'",),
        seen_by_schema=False,
    ),
    Bad(
        "a priority that there is not",
        service("routes: [{priority: highest}]"),
        ("4:25: services.shop.routes[0].priority: must be one of low, normal, high; got 'highest'; did you mean \"high\"?",),
    ),
    Bad(
        "a hash of two things",
        service("balance: {hash: {header: X-User, address: true}}"),
        ("4:15: services.shop.balance.hash: takes exactly one of header, cookie, query, address",),
        seen_by_schema=False,
    ),
    Bad(
        "a hash of nothing",
        service("balance: {hash: {load: 150%}}"),
        ("4:15: services.shop.balance.hash: takes exactly one of header, cookie, query, address",),
        seen_by_schema=False,
    ),
    Bad(
        "a hash beside sessions",
        service("balance: {sticky: true, hash: {query: user}}"),
        ("4:29: services.shop.balance.hash: cannot be beside sticky: a session stays where it began; take one out",),
        seen_by_schema=False,
    ),
    Bad(
        "a cookie that browsers drop",
        service("balance: {sticky: {same_site: none}}"),
        ("4:35: services.shop.balance.sticky.same_site: needs secure: true beside it: browsers drop such a cookie otherwise",),
        seen_by_schema=False,
    ),
    Bad(
        "a key with spaces is not shown",
        service("balance: {sticky: {key: 'my secret key'}}"),
        ("4:29: services.shop.balance.sticky.key: must be 1 to 512 visible ASCII characters, without spaces",),
        seen_by_schema=False,
    ),
    Bad(
        "an ejection that is longer than the longest",
        service("balance: {ejection: {time: 10m}}"),
        ("4:32: services.shop.balance.ejection.time: must not be longer than longest",),
        seen_by_schema=False,
    ),
    Bad(
        "more attempts than are allowed",
        service("balance: {retries: {attempts: 21}}"),
        ("4:35: services.shop.balance.retries.attempts: must be from 1 to 20; got '21'",),
    ),
)

ALL = (*PROBING, *BALANCING, *UNKNOWN_KEYS, *VALUES, *ENDPOINTS, *CONTAINERS, *ENGINES, *SHAPES, *TOGETHER)
