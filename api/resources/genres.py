"""Genres and years: what the library is made of."""

from flask_restx import Namespace

from api import inputs
from api.models import model_of, page_of
from api.resources import Resource
from ringnode.catalogue.facets import GENRE_SORTS, YEAR_SORTS, Genre, Year
from ringnode.catalogue.paging import Page

ns = Namespace("genres", "Genres and years", path="/")

JAZZ, SIXTY = Genre("Jazz", 1411, 120, 420_310.2, 31_004_121_004), Year(1960, 88, 9, 21_310.5, 2_004_121_004)
GENRES = page_of(ns, model_of(ns, Genre, JAZZ), "Genre", JAZZ)
YEARS = page_of(ns, model_of(ns, Year, SIXTY), "Year", SIXTY)


@ns.route("/genres")
class Genres(Resource):
    """All genres."""

    @ns.doc("list_genres")
    @inputs.paged(ns, GENRE_SORTS, "name")
    @ns.param("q", "Beginnings of words of the name", maxLength=inputs.FILTER_LIMIT)
    @ns.response(200, "A page", GENRES)
    def get(self) -> Page[Genre]:
        """Genres that songs are of, with how much there is of each."""
        return self.gateway.browse.genres(inputs.paging(GENRE_SORTS), inputs.text("q", inputs.FILTER_LIMIT))


@ns.route("/years")
class Years(Resource):
    """All years."""

    @ns.doc("list_years")
    @inputs.paged(ns, YEAR_SORTS, "year")
    @ns.response(200, "A page", YEARS)
    def get(self) -> Page[Year]:
        """Years that songs were released in, with how much there is of each."""
        return self.gateway.browse.years(inputs.paging(YEAR_SORTS))
