"""Long lists of the console: what their pages, filters, totals and cells have in common on every floor."""
