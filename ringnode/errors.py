"""Every error of ours, named by whose fault it is.

Translated at two doors only: Pyro's errors into these in `objects/peers.py`, these into HTTP in `api/errors.py`.

    RingnodeError
    |-- PeerDown            the peer did not answer (in time)
    |-- PeerBusy            the peer lives but cannot serve now: never a reason to call it dead
    |-- PeerRefused         the peer does not accept us: TLS, another ring, another k
    |-- NotJoined           this node has not found its ring yet
    |-- Conflict            another is doing this now
    |   `-- ChecksumWrong   bytes are not what the caller's checksum says
    |-- Stale               it is no longer what the caller read
    |-- NotFound            no such song, record, blob
    |   `-- Elsewhere       another node has it
    |-- Unauthenticated     who are you?
    |-- Forbidden           known, but not allowed
    |-- TooManyRequests     slow down
    |-- Invalid             the caller's input; `field` names the culprit
    |   `-- TooLarge        the input exceeds a limit
    |-- CorruptReplica      bytes that do not hash to their key
    |-- NotEnoughReplicas   fewer durable copies than an acknowledgement needs
    |-- NoSpace             the disk's reserve would be used
    |   `-- DiskFailed      the disk takes nothing, for it fails
    |-- NotAble             this node has not what it takes
    `-- ConfigError         the node cannot start like this; the message says what to change
"""


class RingnodeError(Exception):
    """Base of all; `str(error)` is one sentence for a person."""


class PeerDown(RingnodeError):
    """The peer did not answer."""


class PeerBusy(RingnodeError):
    """The peer is alive but has no free worker, or is catching up."""


class PeerRefused(RingnodeError):
    """The peer will not talk to us: its certificate or ring is not ours."""


class NotJoined(RingnodeError):
    """The node has not joined a ring yet and cannot answer for any key."""


class Conflict(RingnodeError):
    """Another node or person is doing this now, or has done it."""


class ChecksumWrong(Conflict):
    """A piece is not what its checksum says: it was thrown away."""


class Stale(RingnodeError):
    """It has changed since the caller read it: read it again, and decide anew."""


class NotFound(RingnodeError):
    """There is no such thing on any node that could be asked."""


class Elsewhere(NotFound):
    """Another node has it; `api` is the URL of its API for people, `inside` that for the nodes of its ring."""

    def __init__(self, message: str, api: str = "", inside: str = "") -> None:
        super().__init__(message)
        self.api = api
        self.inside = inside


class Unauthenticated(RingnodeError):
    """No valid login was given."""


class Forbidden(RingnodeError):
    """The login is valid but may not do this."""


class TooManyRequests(RingnodeError):
    """Too many attempts; `retry_after_s` says when the next is welcome."""

    retry_after_s = 60


class Invalid(RingnodeError):
    """The caller's input is wrong; `field` is the name of the bad part, if one is to blame.

    `fields` says what is wrong with each, where several are.
    """

    def __init__(self, message: str, field: str = "", fields: dict[str, str] | None = None) -> None:
        super().__init__(message, field)
        self.field = field
        self.fields = fields or {}

    def __str__(self) -> str:
        return str(self.args[0])


class TooLarge(Invalid):
    """The input is larger than this node accepts."""


class CorruptReplica(RingnodeError):
    """The bytes do not hash to the key they were stored under."""


class NotEnoughReplicas(RingnodeError):
    """Fewer nodes than needed hold it durably; try again when more are up."""

    retry_after_s = 5


class NoSpace(RingnodeError):
    """Storing this would use the disk's reserve."""


class DiskFailed(NoSpace):
    """The disk cannot be written or has lost what was: like a full one it takes nothing, others may."""


class ConfigError(RingnodeError):
    """The node cannot start like this."""


BY_NAME: dict[str, type[RingnodeError]] = {
    cls.__name__: cls
    for cls in (
        PeerDown, PeerBusy, PeerRefused, NotJoined, Conflict, Stale, NotFound, Unauthenticated, Forbidden,
        TooManyRequests, Invalid, TooLarge, CorruptReplica, NotEnoughReplicas, NoSpace, DiskFailed,
        ConfigError,
    )
}  # fmt: skip


class NotAble(RingnodeError):
    """This node cannot do it: a program is missing, or fails at it."""
