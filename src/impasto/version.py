"""The version, on the ground floor, where every room can reach it."""

__version__ = "0.1.0.dev0"
