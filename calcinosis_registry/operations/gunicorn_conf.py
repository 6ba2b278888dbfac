"""How gunicorn serves the register: ``gunicorn --config python:calcinosis_registry.operations.gunicorn_conf …``."""

from __future__ import annotations

import gc
import os
from typing import Any

from calcinosis_registry.operations import logs as _logs

# Threads wait for the database while others compute; two processes use two cores.
worker_class = "gthread"
workers = int(os.environ.get("WEB_WORKERS", "2"))
threads = int(os.environ.get("WEB_THREADS", "4"))
# Loaded once, before the workers are forked: half the memory, half the time to start. wsgi.py closes its connections.
preload_app = True
# Longer than SQLite's 20 seconds of waiting for another writer, shorter than a supervisor's patience.
timeout = 60
# SIGTERM: take no new request, answer those in flight, at most this long.
graceful_timeout = 30
keepalive = 5
# Our own log has one line per request, without the address (operations/logs.py).
accesslog = None
logconfig_dict = _logs.config(production=True)
loglevel = "info"
# One process less that listens; nobody here speaks to it.
control_socket_disable = True
# A new start of a worker bounds what a leak can cost; the spread keeps them from starting together.
max_requests = 20_000
max_requests_jitter = 2_000
# The body of a request waits here, in memory where the system has it.
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108  gunicorn's heartbeat file


def when_ready(_server: Any) -> None:
    """The register is loaded and no worker forked: what is here stays, so nobody looks through it for garbage again
    (80 ms each time), and the workers go on sharing its memory."""
    gc.collect()
    gc.freeze()
