"""`python -m energy_analytics` is the command `energy`."""

from .cli import main

main()
