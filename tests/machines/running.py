"""How long the machines run: a short, fixed run among the tests, a long random one under the profile ``proof``."""

from hypothesis import HealthCheck, Phase, settings

LONG = settings.get_current_profile_name() == "proof"


SEARCH = settings(
    max_examples=300,
    stateful_step_count=25,
    derandomize=True,
    deadline=None,
    phases=[Phase.generate],
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
)
"""To see whether a planted bug is found: the first example that finds it is enough."""


def few(examples: int, steps: int) -> settings:
    """So many fixed examples of so many steps, or what the profile says."""
    if LONG:
        return settings.get_profile("proof")
    return settings(
        max_examples=examples,
        stateful_step_count=steps,
        derandomize=True,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
