"""An invitation makes one account, once."""

import pytest
from alone import Alone, open_catalogue

from ringnode.catalogue.records import Records
from ringnode.errors import Conflict, Invalid, NotEnoughReplicas, NotFound
from ringnode.services import invitations
from ringnode.services.accounts import Accounts, put_user
from ringnode.services.invitations import Invitations

LONG = "correct horse battery"


class Ring(Alone):
    """Fails to publish a kind on demand."""

    broken = ""

    def publish(self, record):  # type: ignore[no-untyped-def]
        if record.kind == self.broken:
            raise NotEnoughReplicas("try again")
        return super().publish(record)


@pytest.fixture
def records() -> Records:
    records = open_catalogue()
    put_user(records, "root", LONG, "admin")
    return records


@pytest.fixture
def ring(records: Records) -> Ring:
    return Ring(records)


@pytest.fixture
def here(records: Records, ring: Ring) -> Invitations:
    people = Accounts(records, ring)  # type: ignore[arg-type]
    return Invitations(records, ring, people, "s" * 64, "https://cellar:7701")  # type: ignore[arg-type]


def test_a_guest_becomes_what_the_admin_chose_once(here: Invitations, records: Records) -> None:
    made = here.make("uploader", 7, "Anna from the choir", "root")
    assert made.url == f"https://cellar:7701/join#{made.token}"
    seen = here.look(made.token)
    assert (seen.role, seen.made_by, seen.note, seen.token) == ("uploader", "root", "", "")
    user = here.accept(made.token, "Anna", LONG, "Anna B.")
    assert (user.name, user.role, user.display_name) == ("Anna", "uploader", "Anna B.")
    for name in ("eve", "Anna"):
        with pytest.raises(NotFound, match="used"):
            here.accept(made.token, name, LONG)
    with pytest.raises(NotFound, match="used"):
        here.look(made.token)
    assert [(i.used_by, i.token, i.url) for i in here.every()] == [("anna", "", "")]
    assert made.token not in str(records.where("1 = 1"))


def test_what_is_wrong_with_the_guest_does_not_use_it_up(here: Invitations) -> None:
    token = here.make("listener", 7, "", "root").token
    for name, password, error in (
        ("ROOT", LONG, Conflict), ("a/b", LONG, Invalid), ("ann", "short", Invalid), ("annannan", "annannan", Invalid)
    ):  # fmt: skip
        with pytest.raises(error):
            here.accept(token, name, password)
    assert here.accept(token, "ann", LONG).name == "ann"


def test_who_was_cut_off_goes_on_under_the_same_name_and_no_other(here: Invitations, ring: Ring) -> None:
    token = here.make("listener", 7, "", "root").token
    ring.broken = "user"
    with pytest.raises(NotEnoughReplicas):
        here.accept(token, "ann", LONG)
    ring.broken = ""
    with pytest.raises(NotFound, match="used"):
        here.accept(token, "eve", LONG)
    assert here.accept(token, "ann", LONG).name == "ann"


def test_two_guests_at_once(here: Invitations, ring: Ring) -> None:
    made = here.make("listener", 7, "", "root")
    with ring.lease(f"invitation/{made.id}"), pytest.raises(Conflict):
        here.accept(made.token, "ann", LONG)


def test_taken_back_expired_forged(here: Invitations, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = here.make("listener", 7, "", "root")
    here.take_back(gone.id)
    late = here.make("admin", 1, "", "root")
    with pytest.raises(NotFound):
        here.take_back("ffff")
    with pytest.raises(NotFound):
        here.take_back("a/b")
    other = Invitations(here._records, here._durability, here._accounts, "t" * 64, "")
    for token in (gone.token, "", "x.y", late.token + "x", other.make("admin", 1, "", "root").token):
        with pytest.raises(NotFound):
            here.look(token)
        with pytest.raises(NotFound):
            here.accept(token, "eve", LONG)
    real = invitations.in_s
    monkeypatch.setattr(invitations, "in_s", lambda s: real(s + 2 * 86400))
    with pytest.raises(NotFound, match="expired"):
        here.accept(late.token, "eve", LONG)
    monkeypatch.setattr(invitations, "in_s", lambda s: real(s + 200 * 86400))
    here.make("listener", 7, "", "root")
    assert len(here.every()) == 1, "what ended long ago is forgotten"


@pytest.mark.parametrize(
    ("role", "days", "note", "field"),
    [("owner", 7, "", "role"), ("admin", 0, "", "days"), ("admin", 91, "", "days"), ("admin", 7, "\n", "note"),
     ("admin", 7, "x" * 201, "note")],
)  # fmt: skip
def test_what_is_no_invitation(here: Invitations, role: str, days: int, note: str, field: str) -> None:
    with pytest.raises(Invalid) as error:
        here.make(role, days, note, "root")
    assert error.value.field == field
