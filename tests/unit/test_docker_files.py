"""What the files in docker/ repeat of the code is the same there."""

import re
from pathlib import Path

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
