"""How a family of samples is made."""

from collections.abc import Iterable
from datetime import datetime

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

Sample = tuple[tuple[str, ...], float]
"""The values of the labels, in their order, and the figure."""


def gauge(name: str, tells: str, labels: tuple[str, ...], samples: Iterable[Sample]) -> Metric:
    """What is so now."""
    family = GaugeMetricFamily(name, tells, labels=labels)
    for values, figure in samples:
        family.add_metric(values, figure)
    return family


def counter(name: str, tells: str, labels: tuple[str, ...], samples: Iterable[Sample]) -> Metric:
    """What only grows; Prometheus sees ``name`` with ``_total`` behind it."""
    family = CounterMetricFamily(name, tells, labels=labels)
    for values, figure in samples:
        family.add_metric(values, figure)
    return family


def one(name: str, tells: str, figure: float) -> Metric:
    """A single figure."""
    return gauge(name, tells, (), [((), figure)])


def age_s(at: datetime | None, now: datetime) -> float:
    """Seconds since then; not a number for what never was."""
    return float("nan") if at is None else max(0.0, (now - at).total_seconds())
