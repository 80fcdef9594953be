"""Why the platform does not start."""


class Refusal(Exception):
    """One clear line for the person at the terminal: what is wrong, and what to do about it."""
