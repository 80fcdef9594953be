"""Why a bot did, or did not, trade in one slot: found in the database alone, and told in words."""
