"""Diagnosis: numbers taken while a network trains, and what they mean."""
