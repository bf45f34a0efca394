"""Hostile uploads: made by chance, read, and held against what must be true of every reading."""
