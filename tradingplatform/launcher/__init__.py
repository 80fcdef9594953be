"""``make run``: checks, prepares, and becomes the supervisor of every process of the platform.

Order of events: ``__main__`` refuses what cannot work (preflight), clears what a killed run left behind (leftovers),
chooses Redis (broker), brings the database up to date (prepare), sets the market clock (marketclock) and turns into
``supervise``, which starts each of ``programs`` through ``child``. The ``narrator`` tells the terminal what happens.
"""
