"""The tools that read the files take them; needs the docker command, and no engine."""

import os
import shutil
import subprocess
from typing import Any

import pytest
import yaml
from stack import FILES

DOCKER = FILES[0].parent
NO_ENGINE = {"DOCKER_HOST": "unix:///nowhere"}


def read_by(*command: str, **settings: str) -> Any:
    """The file as the command understands it."""
    if not shutil.which("docker") or subprocess.run(["docker", *command, "--help"], capture_output=True).returncode:
        pytest.skip(f"there is no docker {command[0]}")
    run = subprocess.run(["docker", *command], env=os.environ | NO_ENGINE | settings, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return yaml.safe_load(run.stdout)


def test_compose_takes_its_file_and_what_is_set_for_it() -> None:
    command = ("compose", "--file", str(DOCKER / "compose.yaml"), "config")
    settings = {"RINGNODE_SERVERS": "7", "RINGNODE_STOP_SIGNAL": "SIGUSR1", "RINGNODE_STOP_GRACE": "2h"}
    usual, other = (read_by(*command, **given)["services"] for given in ({}, settings))
    assert set(usual) == {"ca", "server", "router", "client"}
    for services, expected in ((usual, (5, "SIGTERM", "30s")), (other, (7, "SIGUSR1", "2h0m0s"))):
        server = services["server"]
        assert (server["deploy"]["replicas"], server["stop_signal"], server["stop_grace_period"]) == expected


def test_swarm_takes_its_file() -> None:
    services = read_by("stack", "config", "--compose-file", str(DOCKER / "stack.yaml"))["services"]
    update = services["server"]["deploy"]["update_config"]
    assert (update["parallelism"], update["order"], update["failure_action"]) == (1, "stop-first", "pause")
    for name, count in (("server", 5), ("router", 4), ("client", 3)):
        assert len(services[name]["secrets"]) == count and services[name]["read_only"]
