"""Tell people: the durable log of everything significant. Knows nothing of trading."""
