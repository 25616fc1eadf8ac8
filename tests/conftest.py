"""What every test gets: Hypothesis profiles, and `--all-histories`."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings

COMMON = {
    "deadline": None,  # no timed tests
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large],
    "print_blob": True,
}
settings.register_profile("few", max_examples=25, derandomize=True, **COMMON)
settings.register_profile("all", max_examples=100, derandomize=True, **COMMON)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--all-histories", action="store_true", help="property tests with all their histories"
    )


def pytest_configure(config: pytest.Config) -> None:
    settings.load_profile("all" if config.getoption("--all-histories") else "few")


@pytest.fixture
def all_histories(request: pytest.FixtureRequest) -> bool:
    """True under `./do test --all`: a test may then take more seeds."""
    return bool(request.config.getoption("--all-histories"))
