"""A run: its configuration, its directory, its loop, and the model it leaves."""
