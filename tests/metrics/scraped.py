"""What a scrape says, as figures by name and labels."""

from prometheus_client.parser import text_string_to_metric_families

from tradingplatform.metrics.scrape import scrape


def scraped():
    """Every sample: {(name, frozenset of labels): figure}."""
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(scrape().decode())
        for sample in family.samples
    }


def figure(samples, name, /, **labels):
    return samples[(name, frozenset(labels.items()))]


def named(samples, name):
    """The samples of one name, by their labels."""
    return {tuple(sorted(labels)): value for (each, labels), value in samples.items() if each == name}
