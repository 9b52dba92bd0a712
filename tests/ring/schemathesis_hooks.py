"""How Schemathesis sends bodies that are no JSON: as they are, in every media type that the API takes them in.

And what it must not do: change the account that it is logged in with, as a new password ends the login.
"""

from typing import Any

import schemathesis

from api.resources.covers import IMAGES
from api.resources.lyrics import TEXTS
from api.resources.playlists import M3U_MEDIA
from api.resources.uploads import BYTES

schemathesis.serializer.alias([*IMAGES, BYTES], "application/octet-stream")
schemathesis.serializer.alias(sorted({*TEXTS, *M3U_MEDIA} - {"text/plain", "application/octet-stream"}), "text/plain")


@schemathesis.hook
def map_case(_context: Any, case: Any) -> Any:
    if case.method.upper() not in ("GET", "HEAD"):
        case.path_parameters = {
            key: "anna" if value == "admin" else value for key, value in (case.path_parameters or {}).items()
        }
    return case
