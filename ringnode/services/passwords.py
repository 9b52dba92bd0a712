"""Passwords: what is one, how they are kept, and how they are checked without helping who guesses."""

import secrets
import threading

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from ringnode.errors import Invalid, TooManyRequests

HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)  # OWASP's floor: small machines log in too
HASH_WAIT_S = 5.0  # a thread that waits longer serves nobody
HASHES_AT_ONCE = 2  # a flood of logins must not take the memory or the cores
SHORTEST = 8  # characters, as NIST SP 800-63B has it; no rule about digits and signs, as it says too
LONGEST = 1024


class Passwords:
    """Checks them, few at once."""

    def __init__(self) -> None:
        self._hashing = threading.BoundedSemaphore(HASHES_AT_ONCE)
        self._nobodys = HASHER.hash(secrets.token_hex())  # an unknown name takes as long as a wrong password

    def right(self, stored: str | None, password: str) -> bool:
        """Is it the one `stored` was made of? None: there is no such account. TooManyRequests if too many ask."""
        if len(password) > LONGEST:
            return False
        if not self._hashing.acquire(timeout=HASH_WAIT_S):
            raise TooManyRequests("many people are logging in: try again in a minute")
        try:
            return HASHER.verify(self._nobodys if stored is None else stored, password) and stored is not None
        except (VerificationError, InvalidHashError, UnicodeError):
            return False
        finally:
            self._hashing.release()


def hashed(password: str, name: str, field: str = "password") -> str:
    """What is kept of a new password. Invalid if it is none for this name."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise Invalid(f"a password has {SHORTEST} to {LONGEST} characters", field)
    if password.casefold() == name.casefold():
        raise Invalid("the name is no password", field)
    return HASHER.hash(password)
