"""How properties are tried: a few fixed examples in a usual run; ``HYPOTHESIS_PROFILE=proof`` for long random ones."""

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
