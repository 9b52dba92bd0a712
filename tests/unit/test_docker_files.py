"""What the files in docker/ repeat of the code is the same there."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from api.player import CSP
from ringnode.config import Config

ROOT = Path(__file__).parents[2]
DOCKER = ROOT / "docker"


def test_client_nodes_send_the_policy_of_nodes() -> None:
    assert f'"{CSP.format(" ${ORIGINS}")}"' in (DOCKER / "client" / "nginx.conf").read_text("utf-8")


def test_every_package_of_the_server_image_has_its_version() -> None:
    needed = set(re.findall(r'^ {8}"([A-Za-z0-9-]+)[>=<]', (ROOT / "setup.py").read_text("utf-8"), re.MULTILINE))
    lines = (DOCKER / "server" / "requirements.txt").read_text("utf-8").splitlines()
    pinned = {line.partition("==")[0] for line in lines if "==" in line}
    assert {"Pyro5", "flask", "granian"} <= needed
    assert {name.lower() for name in needed} <= pinned


def test_both_images_build_the_player_by_the_same_lines() -> None:
    stages = []
    for part in ("server", "client"):
        text = (DOCKER / part / "Dockerfile").read_text("utf-8")
        stages.append(text[text.index("FROM ${NODE_IMAGE}") : text.index("npm run --silent build")])
    assert stages[0] == stages[1]


def test_every_setting_given_to_containers_exists() -> None:
    settings = {f"RINGNODE_{name.upper()}" for name in Config.__dataclass_fields__}
    asked = {"RINGNODE_CONFIG", "RINGNODE_HOSTS"}
    for path in (*DOCKER.glob("*.yaml"), *DOCKER.glob("kubernetes/*.yaml")):
        text = path.read_text("utf-8")
        given = set(re.findall(r"^ +(RINGNODE_\w+):", text, re.MULTILINE)) | set(
            re.findall(r"name: (RINGNODE_\w+)", text)
        )
        assert given <= settings | asked, path.name


def composed(name: str) -> Any:
    return yaml.safe_load((DOCKER / name).read_text("utf-8"))


@pytest.mark.parametrize("name", ["compose.yaml", "stack.yaml"])
def test_networks_volumes_and_secrets_that_services_name_are_there(name: str) -> None:
    whole = composed(name)
    assert {"server", "router", "client"} <= set(whole["services"])
    for service in whole["services"].values():
        assert set(service.get("networks", [])) <= set(whole["networks"])
        volumes = [v.split(":")[0] if isinstance(v, str) else v.get("source") for v in service["volumes"]]
        assert set(volumes) - {None} <= set(whole["volumes"])
        assert {secret["source"] for secret in service.get("secrets", [])} <= set(whole.get("secrets", {}))
        assert set(service.get("depends_on", {})) <= set(whole["services"])


def test_swarm_gets_the_secrets_that_are_made_and_mounts_them_by_their_names() -> None:
    stack = composed("stack.yaml")
    given = dict(re.findall(r"^give (\S+) (\S+)$", (DOCKER / "swarm-secrets").read_text("utf-8"), re.MULTILINE))
    assert {f"ringnode-{name}" for name in given} == {secret["name"] for secret in stack["secrets"].values()}
    for service in stack["services"].values():
        for secret in service["secrets"]:
            made = Path(given[secret["source"]]).name
            # the router knows servers by the ring's authority, and is known itself by the edge's
            assert Path(secret["target"]).name in (made, f"servers-{made}")


def test_both_have_the_same_settings_of_servers() -> None:
    """Swarm's and Compose's servers differ in nothing but where they run."""
    compose, stack = (composed(name)["services"]["server"]["environment"] for name in ("compose.yaml", "stack.yaml"))
    assert {key: compose[key] for key in compose if key != "RINGNODE_RESERVE_BYTES"} == stack
