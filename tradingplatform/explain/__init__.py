"""Everything about one slot of one bot on one page: what ``why`` tells from the database, its events, its log lines."""
