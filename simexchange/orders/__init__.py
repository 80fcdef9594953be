"""Orders of the one account: what they do, what they bind and cost, and how they are remembered."""
