"""Latents: what can be done with the numbers that stand for pictures. Nothing here knows where they come from."""
