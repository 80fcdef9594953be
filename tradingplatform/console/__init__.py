"""The operator's console: what the floors' own admin pages cannot do, because it needs more than one floor."""
