"""AWS on this machine, for the tests: ministack, corrected where it is kinder or stranger than the service.

`start(folder)` runs it as a process of its own on a free port of the loopback interface and gives an `Emulator`; the
fixtures are in `plugin`. Nothing here is imported by the package itself.
"""

from .process import ACCOUNT, REGION, Emulator, EmulatorError, start
from .sandbox import SandboxError
from .sandbox import require as require_sandbox

__all__ = ["ACCOUNT", "REGION", "Emulator", "EmulatorError", "SandboxError", "require_sandbox", "start"]
