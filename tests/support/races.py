"""How a model of races is run: with the same choices each time."""

from hypothesis import HealthCheck, Phase, settings


def race_settings(examples: int, fast: int) -> settings:
    """So many examples of 40 steps; `fast`: how many in the fast tests."""
    return settings(
        max_examples=fast if settings.get_current_profile_name() == "fast" else examples,
        stateful_step_count=40,
        derandomize=True,
        database=None,
        deadline=None,
        print_blob=True,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )
