"""Every setting of a node, read once at the door and handed in.

From, in rising order: the defaults here, a TOML file, the environment (RINGNODE_NAME), the command line. An unknown
name stops the start: a misspelt setting that is silently ignored is found when it is too late.
"""

import json
import os
import socket
import tomllib
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from ringnode.errors import ConfigError

ENV = "RINGNODE_"
NOT_OURS = {ENV + name for name in ("CONFIG", "URL", "CA", "USER", "PASSWORD")}  # the clients' on the same machine
MIB = 1 << 20
SESSION_LIMIT_S = 30 * 86400.0  # the record that a login was ended is forgotten after so long


def setting(default: Any, help: str) -> Any:
    """A setting with its one-line help, which `ringnode serve --help` and the docs show."""
    return field(default=default, metadata={"help": help})


@dataclass(frozen=True)
class Config:
    """One node's settings. Units stand at the end of the names."""

    data: Path = setting(Path("ringnode-data"), "folder of this node: its music, catalogue and identity")
    tls: Path = setting(Path("tls"), "folder with ca.crt, node.crt, node.key, ring.secret (see `ringnode ca`)")
    name: str = setting("", "what people call this node; the host name if empty")
    host: str = setting("127.0.0.1", "address to listen on for peers")
    port: int = setting(7700, "port to listen on for peers")
    address: str = setting("", "HOST:PORT at which peers reach this node; needed when host is 0.0.0.0")
    api_host: str = setting("127.0.0.1", "address to listen on for people (HTTPS)")
    api_port: int = setting(7701, "port to listen on for people (HTTPS)")
    api_url: str = setting("", "URL at which people reach this node; made from api_host and api_port if empty")
    api_cert: str = setting("", "another certificate for HTTPS (PEM file); the node's own if empty")
    api_key: str = setting("", "the key of api_cert (PEM file)")
    http_port: int = setting(0, "port for plain HTTP, only ever on 127.0.0.1; 0 for none")
    proxies: int = setting(
        0, "proxies in front whose X-Forwarded-For is believed; 0 where people reach this node itself"
    )
    seeds: tuple[str, ...] = setting((), "HOST:PORT of nodes to ask for the ring, separated by commas")
    seed_name: str = setting("", "NAME:PORT of which every address is asked for the ring (a service's DNS name)")
    k: int = setting(3, "copies of every song; the same on every node of a ring")
    admin_name: str = setting("admin", "the account made when the ring is founded")
    admin_password: str = setting("", "its password; one is made up and printed if empty")
    upload_limit_bytes: int = setting(1024 * MIB, "largest file accepted")
    reserve_bytes: int = setting(256 * MIB, "free space never used; writes are refused below it")
    repair_delay_s: float = setting(600.0, "how long a silent node's copies are waited for before new ones are made")
    repair_bytes_per_s: int = setting(200 * MIB, "most bytes a second that repairs may send")
    quiet_s: float = setting(30.0, "how long the ring must be unchanged before a surplus copy is given up")
    delete_grace_s: float = setting(600.0, "how long the file of a deleted song is kept")
    stabilise_every_s: float = setting(1.0, "period of the ring's upkeep; deaths are noticed within a few of them")
    exchange_every_s: float = setting(5.0, "period of comparing the catalogue with one random peer")
    replicate_every_s: float = setting(10.0, "period of looking for missing and surplus copies")
    audit_every_s: float = setting(60.0, "period of housekeeping: deleted files, checking files")
    settle_s: float = setting(3.0, "how long a first node waits for others before it founds the ring")
    call_timeout_s: float = setting(2.0, "how long a peer may take to answer")
    metrics_token: str = setting("", "lets a Prometheus read /api/v1/metrics as `Bearer TOKEN`; else only admins may")
    session_s: float = setting(SESSION_LIMIT_S, "how long a login lasts")
    cors_origins: tuple[str, ...] = setting(
        (), "origins whose pages may use the API, such as https://player.example.org"
    )
    ffmpeg: str = setting("ffmpeg", "program that makes formats browsers play of those they cannot; empty for none")
    transcoded_bytes: int = setting(1024 * MIB, "most bytes of such songs that are kept; 0 for none")
    workers: int = setting(1, "processes that serve HTTP; each may use one core, and takes some 80 MB")
    threads: int = setting(256, "HTTP requests that a worker serves at once, paused listeners included")

    def __post_init__(self) -> None:
        """Whatever is wrong is said here, before anything starts. ConfigError."""
        for name in ("port", "api_port"):
            if not 1 <= getattr(self, name) <= 65535:
                raise ConfigError(f"{name} must be a port between 1 and 65535, not {getattr(self, name)}")
        if not 0 <= self.http_port <= 65535:
            raise ConfigError(f"http_port must be a port or 0, not {self.http_port}")
        if not 1 <= self.workers <= 64:
            raise ConfigError(f"workers must be between 1 and 64, not {self.workers}")
        if not 1 <= self.k <= 8:
            raise ConfigError(f"k must be between 1 and 8, not {self.k}")
        if self.host in ("0.0.0.0", "::") and not self.address:  # noqa: S104
            raise ConfigError("with host 0.0.0.0 set address to the HOST:PORT at which peers reach this node")
        if bool(self.api_cert) != bool(self.api_key):
            raise ConfigError("api_cert and api_key go together")
        if self.session_s > SESSION_LIMIT_S:
            raise ConfigError("session_s must not be more than 30 days: what ended a login is remembered as long")
        for address in (*self.seeds, *filter(None, (self.seed_name, self.address))):
            split_address(address)
        for f in fields(self):
            value = getattr(self, f.name)
            if isinstance(value, int | float) and value < 0:
                raise ConfigError(f"{f.name} must not be negative")

    def filled(self) -> "Config":
        """With the settings that follow from others."""
        api_host = socket.gethostname() if self.api_host in ("0.0.0.0", "::") else self.api_host  # noqa: S104
        return replace(
            self,
            data=self.data.absolute(),
            tls=self.tls.absolute(),
            name=self.name or socket.gethostname(),
            address=self.address
            or (f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"),
            api_url=(self.api_url or f"https://{api_host}:{self.api_port}").rstrip("/"),
        )

    @property
    def inside_url(self) -> str:
        """The API where peers find it: `api_url` may be a public one, behind which another node answers each time."""
        return f"https://{self.address.rpartition(':')[0]}:{self.api_port}"

    @classmethod
    def load(cls, given: Mapping[str, Any], environ: Mapping[str, str] = os.environ) -> "Config":
        """The settings from the file named by `given["config"]`, the environment and `given`. ConfigError."""
        given = {name: value for name, value in given.items() if value is not None}
        path = given.pop("config", None) or environ.get(ENV + "CONFIG")
        values: dict[str, Any] = _from_file(Path(path)) if path else {}
        values |= {n[len(ENV) :].lower(): v for n, v in environ.items() if n.startswith(ENV) and n not in NOT_OURS}
        values |= given
        known = {f.name: f for f in fields(cls)}
        unknown = sorted(set(values) - set(known))
        if unknown:
            raise ConfigError(f"unknown setting {unknown[0]}; there are: {', '.join(known)}")
        return cls(**{name: _typed(known[name], value) for name, value in values.items()}).filled()


def _from_file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"the settings file {path} cannot be read: {error}") from error


def _typed(f: "Field[Any]", value: Any) -> Any:
    """A value of the setting's type, from text or TOML."""
    try:
        if isinstance(f.default, tuple):
            parts = value.split(",") if isinstance(value, str) else value
            return tuple(part.strip() for part in parts if part.strip())
        kind: Any = type(f.default)
        return kind(value)
    except (TypeError, ValueError, AttributeError) as error:
        raise ConfigError(f"{f.name} must be {type(f.default).__name__}, not {value!r}") from error


def split_address(address: str) -> tuple[str, int]:
    """HOST:PORT in its parts. ConfigError if it is none."""
    host, _, port = address.rpartition(":")
    bare = ":" in host and not (host.startswith("[") and host.endswith("]"))
    if not host or bare or not port.isdigit() or not 1 <= int(port) <= 65535:
        raise ConfigError(f"{address!r} is not HOST:PORT")
    return host.strip("[]"), int(port)


def to_json(config: Config) -> str:
    """For a process of this node; the founder's password stays here."""
    values = {f.name: getattr(config, f.name) for f in fields(Config) if f.name != "admin_password"}
    return json.dumps(values, default=os.fspath)


def from_json(text: str) -> Config:
    """What `to_json` wrote."""
    values = json.loads(text)
    return Config(**{f.name: _typed(f, values[f.name]) for f in fields(Config) if f.name in values})
