"""How Schemathesis sends bodies that are no JSON: as they are, in every media type that the API takes them in."""

import schemathesis

from api.resources.covers import IMAGES
from api.resources.lyrics import TEXTS
from api.resources.playlists import M3U_MEDIA
from api.resources.uploads import BYTES

schemathesis.serializer.alias([*IMAGES, BYTES], "application/octet-stream")
schemathesis.serializer.alias(sorted({*TEXTS, *M3U_MEDIA} - {"text/plain", "application/octet-stream"}), "text/plain")
