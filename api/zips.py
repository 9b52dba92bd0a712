"""Several songs as one zip, streamed: stored as they are, without a temporary file, of a length known before.

Each song's bytes come as for a listener: from this node's disk, or from one peer after the other as they fail. Where
the edited tags are to be in them, each is a copy, made when its turn comes, and no length is known before.
"""

from collections.abc import Callable, Iterator, Sequence

from werkzeug.wrappers import Response
from zipstream import ZipStream

from api import streaming
from ringnode.catalogue import m3u
from ringnode.catalogue.model import Song
from ringnode.errors import CorruptReplica
from ringnode.services.library import Library
from ringnode.services.reading import Source

Open = Callable[[str], Source]  # gives the file of a song's id


def send(
    library: Library, name: str, songs: Sequence[tuple[str, Song]], playlist: bool = False, edited: Open | None = None
) -> Response:
    """The answer to GET or HEAD: songs with the names they are to have, with `playlist` an M3U8 file of them too.

    `edited` opens a song's file with its edited tags, if those are wanted.
    """
    archive = ZipStream(sized=edited is None)
    named = _unique(songs)
    for filename, song in named:
        if edited:
            archive.add(_bytes_of(edited, song, None), filename)
        else:
            archive.add(_bytes_of(library.open, song, song.size_bytes), filename, size=song.size_bytes)
    if playlist:
        text = m3u.write(name, [(song, filename) for filename, song in named]).encode()
        archive.add(text, f"{streaming.safe(name) or 'playlist'}.m3u8", size=len(text))
    headers = {"Content-Disposition": streaming.saved_as(name, "zip")}
    if edited is None:
        headers["Content-Length"] = str(len(archive))
    return Response(_closing(archive), headers=headers, content_type="application/zip")


def _bytes_of(open_song: Open, song: Song, size: int | None) -> Iterator[bytes]:
    """Opened when its turn comes, closed with its end or with the answer's."""
    with open_song(song.id) as source:
        if size not in (None, source.size):  # the length is promised already
            raise CorruptReplica(f"the file of {song.id} has {source.size} bytes instead of {size}")
        yield from source.chunks(0, source.size)


def _closing(archive: ZipStream) -> Iterator[bytes]:
    yield from archive


def _unique(songs: Sequence[tuple[str, Song]]) -> list[tuple[str, Song]]:
    """Names that any system can keep, each once in any case of letters."""
    taken: dict[str, int] = {}  # and how often, for an album may have thousands without a title
    found = []
    for name, song in songs:
        stem = streaming.safe(name) or song.id
        ending = streaming.safe(song.filename.rpartition(".")[2])[: streaming.SUFFIX_LIMIT]
        suffix = f".{ending}" if "." in song.filename and ending else ""
        unique = first = f"{stem}{suffix}"
        while unique.casefold() in taken:
            taken[first.casefold()] += 1
            unique = f"{stem} ({taken[first.casefold()]}){suffix}"
        taken[unique.casefold()] = 1
        found.append((unique, song))
    return found


def of_album(songs: Sequence[Song]) -> list[tuple[str, Song]]:
    """`track title`, with the disc before it where there are several."""
    discs = len({song.disc for song in songs}) > 1
    return [(f"{f'{song.disc}-' if discs else ''}{song.track:02d} {song.title}", song) for song in songs]


def of_list(songs: Sequence[Song]) -> list[tuple[str, Song]]:
    """`number artist - title`: the order stays where files are sorted by name."""
    width = len(str(len(songs)))
    return [(f"{n:0{width}d} {streaming.title_of(song)}", song) for n, song in enumerate(songs, 1)]


def of_some(songs: Sequence[Song]) -> list[tuple[str, Song]]:
    """`artist - title`."""
    return [(streaming.title_of(song), song) for song in songs]
