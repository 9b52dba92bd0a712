"""What the HTTP server's workers run."""

import os
from multiprocessing.util import Finalize

from flask import Flask

from api import create_app
from ringnode.config import from_json
from ringnode.gateway import Gateway
from ringnode.process import die_with_parent, keep_memory, log_to_stderr


def app() -> Flask:
    """The application of one worker, over the node whose settings are in the environment."""
    die_with_parent()
    keep_memory()
    config = from_json(os.environ["RINGNODE_GATEWAY"])
    log_to_stderr(config.name, os.environ.get("RINGNODE_GATEWAY_LOG", "info"))
    gateway = Gateway(config)
    Finalize(gateway, gateway.close, exitpriority=0)  # a forked worker does not run atexit's functions
    return create_app(gateway)
