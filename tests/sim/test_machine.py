"""A state machine over a few whole nodes: Hypothesis looks for the shortest story that breaks a promise."""

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from invariants import ideal
from library import Life

SOME = st.integers(0, 7)


class WholeRing(RuleBasedStateMachine):
    """Its rules are what happens to a ring, its invariants the checkers, which look after every event."""

    @initialize(seed=st.integers(0, 1 << 16), nodes=st.integers(3, 5))
    def begin(self, seed: int, nodes: int) -> None:
        self.life = Life(seed)
        self.world = self.life.world
        self.world.founder()
        for _ in range(nodes - 1):
            self.world.add()
        assert self.world.run_until(lambda: ideal(self.world), 150)

    @rule(seconds=st.floats(0.1, 30))
    def advance(self, seconds: float) -> None:
        self.world.run(seconds)

    @precondition(lambda self: len(self.world.nodes) < 8)
    @rule()
    def join(self) -> None:
        self.life.grow()

    @rule()
    def crash(self) -> None:
        self.life.crash()

    @rule()
    def restart(self) -> None:
        self.life.restart()

    @rule()
    def wipe(self) -> None:
        self.life.wipe()

    @rule()
    def leave(self) -> None:
        self.life.leave()

    @rule()
    def partition(self) -> None:
        self.life.split()

    @rule()
    def heal(self) -> None:
        self.life.heal()

    @rule()
    def upload(self) -> None:
        self.life.people.upload()

    @rule()
    def edit(self) -> None:
        self.life.people.edit()

    @rule()
    def delete(self) -> None:
        self.life.people.delete()

    def teardown(self) -> None:
        if hasattr(self, "life"):
            try:
                self.life.end()
            finally:
                self.world.close()


WholeRing.TestCase.settings = settings(
    max_examples=15,
    stateful_step_count=25,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
test_whole_ring = WholeRing.TestCase
