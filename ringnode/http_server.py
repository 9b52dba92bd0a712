"""The HTTP server of a node: granian with its own worker processes, started and watched by `serve`.

`python -m ringnode.http_server` takes the node's settings as JSON from RINGNODE_GATEWAY, and serves plain HTTP on the
loopback address if RINGNODE_GATEWAY_PLAIN is set, else HTTPS.
"""

import os
from pathlib import Path

from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels

from ringnode.config import from_json
from ringnode.process import die_with_parent

STOP_S = 10  # what is being sent may end; then workers are killed


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    die_with_parent(int(os.environ.get("RINGNODE_GATEWAY_PARENT", "0")))
    config = from_json(os.environ["RINGNODE_GATEWAY"])
    plain = bool(os.environ.get("RINGNODE_GATEWAY_PLAIN"))
    Granian(
        "api.wsgi:app",
        factory=True,
        interface=Interfaces.WSGI,
        address="127.0.0.1" if plain else config.api_host,
        port=config.http_port if plain else config.api_port,
        ssl_cert=None if plain else Path(config.api_cert or config.tls / "node.crt"),
        ssl_key=None if plain else Path(config.api_key or config.tls / "node.key"),
        http=HTTPModes.auto,
        websockets=False,
        workers=config.workers,
        blocking_threads=config.threads,
        backpressure=config.threads * 2,
        respawn_failed_workers=True,
        respawn_interval=0.5,
        workers_kill_timeout=STOP_S,
        log_level=LogLevels.error,
    ).serve()


if __name__ == "__main__":
    main()
