"""Settings are read once, and whatever is wrong with them is said before anything starts."""

from pathlib import Path
from typing import Any

import pytest

from ringnode.config import Config, from_json, split_address, to_json
from ringnode.errors import ConfigError


def test_defaults_are_sound() -> None:
    config = Config.load({}, {})
    assert config.address == "127.0.0.1:7700" and config.api_url == "https://127.0.0.1:7701"
    assert config.name and config.data.is_absolute() and config.k == 3


def test_a_host_of_ipv6_stands_in_brackets_in_its_address() -> None:
    config = Config.load({"host": "::1"}, {})
    assert config.address == "[::1]:7700" and split_address(config.address) == ("::1", 7700)


def test_later_sources_win(tmp_path: Path) -> None:
    file = tmp_path / "node.toml"
    file.write_text('k = 2\nport = 1000\nname = "file"\nseeds = ["a:1", "b:2"]\n')
    environ = {"RINGNODE_PORT": "2000", "RINGNODE_NAME": "environ", "OTHER": "x"}
    config = Config.load({"config": str(file), "name": "line", "k": None}, environ)
    assert (config.k, config.port, config.name, config.seeds) == (2, 2000, "line", ("a:1", "b:2"))


@pytest.mark.parametrize(
    ("given", "environ", "words"),
    [
        ({}, {"RINGNODE_SEDS": "a:1"}, "unknown setting seds"),
        ({"nonsense": "1"}, {}, "unknown setting nonsense"),
        ({"port": "high"}, {}, "port must be int"),
        ({"port": "0"}, {}, "port must be a port"),
        ({"port": "65536"}, {}, "port must be a port"),
        ({"http_port": "-1"}, {}, "http_port"),
        ({"k": "0"}, {}, "k must be between"),
        ({"k": "9"}, {}, "k must be between"),
        ({"workers": "0"}, {}, "workers must be between"),
        ({"host": "0.0.0.0"}, {}, "set address"),
        ({"seeds": "nowhere"}, {}, "'nowhere' is not HOST:PORT"),
        ({"seeds": "a:1,b:x"}, {}, "'b:x' is not HOST:PORT"),
        ({"repair_delay_s": "-1"}, {}, "must not be negative"),
        ({"api_cert": "x.pem"}, {}, "go together"),
        ({"config": "no-such-file.toml"}, {}, "cannot be read"),
    ],
)
def test_what_is_wrong_is_said(given: dict[str, Any], environ: dict[str, str], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        Config.load(given, environ)


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "node.toml").write_text("k = = 3")
    with pytest.raises(ConfigError, match=r"node\.toml"):
        Config.load({"config": str(tmp_path / "node.toml")}, {})


def test_the_clients_variables_are_passed_over() -> None:
    Config.load(
        {}, {"RINGNODE_URL": "https://a:1", "RINGNODE_PASSWORD": "x", "RINGNODE_CA": "c", "RINGNODE_USER": "u"}
    )


def test_json_carries_all_but_the_password() -> None:
    config = Config.load({"seeds": "a:1,b:2", "admin_password": "secret", "k": 2}, {})
    text = to_json(config)
    assert "secret" not in text
    assert from_json(text).seeds == config.seeds and from_json(text).data == config.data


@pytest.mark.parametrize(
    ("text", "parts"), [("host:1", ("host", 1)), ("[::1]:7700", ("::1", 7700)), ("1.2.3.4:65535", ("1.2.3.4", 65535))]
)
def test_addresses(text: str, parts: tuple[str, int]) -> None:
    assert split_address(text) == parts


@pytest.mark.parametrize(
    "text", ["", "host", "host:", ":1", "host:0", "host:65536", "host:-1", "host:1x", "::1:7700", "::1"]
)
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(ConfigError):
        split_address(text)
