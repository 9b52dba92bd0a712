"""What people see of the whole library from one gateway: lists of songs, albums, artists, genres, years; search.

All of it is read from this node's own catalogue: no other node is asked, and none can make it slow.
"""

from ringnode.catalogue import albums, artists, songs
from ringnode.catalogue.albums import Album, AlbumView
from ringnode.catalogue.albums import Filter as AlbumFilter
from ringnode.catalogue.artists import Artist, ArtistView
from ringnode.catalogue.artists import Filter as ArtistFilter
from ringnode.catalogue.facets import Facets, Genre, Year
from ringnode.catalogue.finding import Finding, Found
from ringnode.catalogue.model import Song
from ringnode.catalogue.paging import Asked, Page
from ringnode.catalogue.records import Records
from ringnode.catalogue.songs import Filter as SongFilter


class Browse:
    """Over the gateway's catalogue. Every list raises Invalid for a page that cannot be."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._facets = Facets(records)
        self._finding = Finding(records)

    def songs(self, asked: Asked, wanted: SongFilter) -> Page[Song]:
        """A page of songs."""
        return songs.page(self._records, asked, wanted)

    def albums(self, asked: Asked, wanted: AlbumFilter) -> Page[Album]:
        """A page of albums."""
        return albums.page(self._records, asked, wanted)

    def album(self, id: str) -> AlbumView:
        """An album with its songs. NotFound."""
        return albums.view(self._records, id)

    def songs_of_album(self, id: str) -> list[Song]:
        """All its songs by disc and track, however many; none of an album that is not there."""
        return albums.songs(self._records, id)

    def artists(self, asked: Asked, wanted: ArtistFilter) -> Page[Artist]:
        """A page of artists."""
        return artists.page(self._records, asked, wanted)

    def artist(self, id: str) -> ArtistView:
        """An artist with the albums. NotFound."""
        return artists.view(self._records, id)

    def genres(self, asked: Asked, q: str) -> Page[Genre]:
        """A page of genres."""
        return self._facets.genres(asked, q)

    def years(self, asked: Asked) -> Page[Year]:
        """A page of years."""
        return self._facets.years(asked)

    def search(self, query: str, limit: int) -> Found:
        """What a text finds, at most `limit` of each kind. Invalid for a limit that cannot be."""
        return self._finding.find(query, limit)
