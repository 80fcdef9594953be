from tests.wired import wired_exchange  # noqa: F401  (a fixture)
