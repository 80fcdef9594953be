"""The fleet file: read it, judge it as a whole, show what would change, change it in one transaction."""
