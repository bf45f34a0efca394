"""The subcommands of `energy`, by what they are about: each parses, calls one function and prints what it got.

Heavy modules are imported where they are used, so that `energy --help` answers at once.
"""
