"""What one HTTP worker holds: a client of its own node that opens the node's files and catalogue directly.

It keeps no state that matters: workers can be many, can crash, and a flood of requests cannot delay a heartbeat.
"""

import json
import time
from pathlib import Path

from ringnode import ca
from ringnode.catalogue.attempts import Attempts
from ringnode.catalogue.tag_reader import TagReader
from ringnode.config import Config
from ringnode.node import open_records
from ringnode.objects import wire
from ringnode.objects.peers import Peers
from ringnode.services.accounts import Accounts
from ringnode.services.audit import Audit
from ringnode.services.belongings import Belongings
from ringnode.services.browse import Browse
from ringnode.services.covers import Covers
from ringnode.services.durability import Durability
from ringnode.services.editing import Editing
from ringnode.services.events import Events
from ringnode.services.invitations import Invitations
from ringnode.services.library import Library
from ringnode.services.listening import Listening
from ringnode.services.lyrics import Words
from ringnode.services.marks import Marks
from ringnode.services.overview import Overview
from ringnode.services.playlists import Playlists
from ringnode.services.sessions import Sessions
from ringnode.services.steward import Steward
from ringnode.services.transcoding import Transcoding
from ringnode.services.uploads import Resumable
from ringnode.storage.blobs import Blobs


class Gateway:
    """The services of one worker process."""

    def __init__(self, config: Config) -> None:
        self.config = config
        wire.setup(config.tls)
        mark = json.loads((Path(config.data) / "identity.json").read_text("utf-8"))["mark"]
        self._db, self.records = open_records(config, mark)
        self._peers = Peers(config.call_timeout_s)
        self._reader = TagReader()
        blobs = Blobs(config.data / "music", config.reserve_bytes)
        self._durability = Durability(config, self._peers, self.records, blobs)
        self.browse = Browse(self.records)
        secret, attempts = ca.secret(config.tls), Attempts(self._db, time.time)
        self.accounts = Accounts(self.records, self._durability)
        self.sessions = Sessions(self.records, self._durability, attempts, secret, config.session_s)
        self.invitations = Invitations(self.records, self._durability, self.accounts, secret, config.api_url)
        self.audit = Audit(self.records, self._durability)
        self.library = Library(config, self.records, blobs, self._peers, self._durability, self._reader)
        self.editing = Editing(self.records, self._durability, self.library, blobs.incoming)
        made = config.data / "transcoded"
        self.transcoding = Transcoding(
            self.library, made, config.ffmpeg, config.transcoded_bytes, config.reserve_bytes
        )
        self.uploads = Resumable(config, self.records, blobs, self.library)
        self.covers = Covers(self.records, self._durability, self.library, self._reader, config.data / "covers")
        self.words = Words(self.records, self._durability, self.library)
        self.playlists = Playlists(self.records, self._durability)
        self.belongings = Belongings(self.records, self._durability, self.accounts, self.playlists)
        self.marks = Marks(self.records, self._durability, mark, config.data)
        self.listening = Listening(self.records, self._durability)
        self.overview = Overview(config, self.records, self._peers)
        self.steward = Steward(config, self.records, self._peers, self._durability)
        self.events = Events(self.records, mark, lambda: self._peers.call(config.address, "state"), self.uploads.mine)

    def close(self) -> None:
        """In reverse."""
        self.events.closed.set()
        self._reader.close()
        self._peers.close()
        self._db.close()
