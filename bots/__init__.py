"""What a bot is, and what it wants."""
