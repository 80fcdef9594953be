"""How properties are tried: a few fixed examples in a usual run; ``HYPOTHESIS_PROFILE=proof`` for long random ones. And
how many tests run at a time."""

import os

from hypothesis import HealthCheck, settings

settings.register_profile(
    "proof",
    max_examples=1_000,
    stateful_step_count=50,
    deadline=None,
    derandomize=False,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or settings.get_current_profile_name())


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are processors: tests with real processes spend most of their time waiting."""
    return (os.cpu_count() or 1) + 1
