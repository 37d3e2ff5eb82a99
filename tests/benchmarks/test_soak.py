"""A soak reads the growth of a real server, and finds every leak of one that leaks on purpose."""

import pytest

from benchmarks.attack_parts.growth import BOUNDS, Growth
from benchmarks.attack_parts.mixed_visitors import SHARES
from benchmarks.attack_parts.processes import Usage
from benchmarks.soak import control_growth, growth_table, soak, verdict


def test_every_leak_of_the_control_is_found() -> None:
    assert set(control_growth(1.0).leaks) == set(vars(BOUNDS))


def test_the_page_serves_mixed_visitors_and_lets_go_of_what_they_left() -> None:
    growth, counts = soak(8.0, 2, stretches=1)
    assert counts["new picture"] >= 4
    assert sum(counts[name] for name in SHARES) >= 4
    assert len(growth.readings) == 2
    assert growth.readings[0].memory > 100
    assert "files" not in growth.leaks, growth_table(growth)


@pytest.mark.parametrize("kind", sorted(vars(BOUNDS)))
def test_growth_beyond_a_bound_is_a_leak(kind: str) -> None:
    first, most = Usage(500.0, 20, 30, 1, 4), getattr(BOUNDS, kind)
    within, beyond = (Usage(**{**vars(first), kind: getattr(first, kind) + gain}) for gain in (most, most + 1))
    assert Growth((first, beyond, within)).leaks == []
    assert Growth((first, within, beyond)).leaks == [kind]
    assert "leaks" in growth_table(Growth((first, beyond)))
    assert kind in verdict(Growth((first, beyond)))
