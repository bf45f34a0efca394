"""One function's sandbox: the file system, user, environment and memory that Lambda would give it.

The process gets a root of its own (mount and PID namespaces), made of this machine's system folders read-only, the
interpreter at hand without any site-packages, `/var/task` and `/opt` read-only, a sized `/tmp`, no `/dev/shm`, and no
time zones but those that the function brings. It runs as a user without rights (when the emulator is root).
"""

import contextlib
import os
import shutil
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

PYTHON_PATH: Final = "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin"
CA_PATH: Final = "/var/emulator-ca.pem"
SANDBOX_USER: Final = "993"
SETUP_FAILED: Final = 113  # the exit status of _SETUP where the function has not begun
WATCH_SECONDS: Final = 0.02
REST_SECONDS: Final = 5.0
MB: Final = 1024 * 1024

# Arguments: root code opt runtime ca tmp_mb prefix user command...
_SETUP: Final = r"""
set -eu
trap 'exit 113' EXIT
root=$1 code=$2 opt=$3 runtime=$4 ca=$5 tmp_mb=$6 prefix=$7 user=$8; shift 8
function_path=$PATH; PATH=/usr/sbin:/usr/bin:/sbin:/bin
# show SOURCE TARGET: SOURCE can be seen, not changed, at TARGET.
show() { mkdir -p "$root$2"; mount --rbind "$1" "$root$2"; mount -o "remount,ro,bind$locked" "$root$2"; }
# A user namespace may not lift the restrictions that its mounts have come with.
locked=; [ -n "$user" ] || locked=,nosuid,nodev
mount --make-rprivate /
mount -t tmpfs -o mode=755 tmpfs "$root"
for folder in /usr /bin /sbin /lib /lib32 /lib64 /etc; do
    if [ -L "$folder" ]; then ln -s "$(readlink "$folder")" "$root$folder"
    elif [ -d "$folder" ]; then show "$folder" "$folder"; fi
done
[ -d "$root$prefix" ] || show "$prefix" "$prefix"
for hidden in "$root"/usr/lib/python3*/dist-packages "$root"/usr/local/lib/python3*/*-packages \
        "$root$prefix"/lib/python3*/site-packages "$root"/usr/share/zoneinfo; do
    [ ! -d "$hidden" ] || mount -t tmpfs -o size=4k,mode=755 tmpfs "$hidden"
done
show "$code" /var/task
show "$opt" /opt
show "$runtime" /var/runtime
cp "$ca" "$root/var/emulator-ca.pem"; chmod 644 "$root/var/emulator-ca.pem"
mkdir "$root/dev" "$root/proc" "$root/tmp"
for device in null zero full random urandom; do
    : > "$root/dev/$device"; mount --bind "/dev/$device" "$root/dev/$device"
done
ln -s /proc/self/fd "$root/dev/fd"
mount -t proc proc "$root/proc" 2>/dev/null || mount --rbind /proc "$root/proc"
mount -t tmpfs -o "size=${tmp_mb}m,mode=1777" tmpfs "$root/tmp"
mount -o remount,ro,bind "$root"
ulimit -n 1024
[ -z "$user" ] || set -- setpriv --reuid "$user" --regid "$user" --clear-groups --no-new-privs "$@"
trap - EXIT
chroot "$root" env -u PWD -u OLDPWD PATH="$function_path" "$@"
exit $?
"""

# What the runtime's own bootstrap does: the function's path first, then the real interface client.
_BOOTSTRAP: Final = """
import os, sys
os.chdir("/var/task")
packages = "/opt/python/lib/python%d.%d/site-packages" % sys.version_info[:2]
sys.path[:1] = ["/var/task", packages, "/opt/python", "/var/runtime"]
sys.argv = ["bootstrap", os.environ["_HANDLER"]]
from awslambdaric.__main__ import main
main(sys.argv)
"""


class SandboxError(Exception):
    """Functions cannot run here; the message says why."""


@dataclass(frozen=True)
class Files:
    """The folders of the emulator that a sandbox shows to a function, and its certificate authority."""

    code: Path
    opt: Path
    runtime: Path
    ca_bundle: Path


class Sandbox:
    """A running process in its sandbox, its memory watched."""

    def __init__(
        self,
        files: Files,
        *,
        root: Path,
        environment: dict[str, str],
        memory_mb: int,
        tmp_mb: int,
        stdout: int,
        keep_open: tuple[int, ...],
    ) -> None:
        """Start the process. `root` is an empty folder to build its file system on."""
        self.memory_mb = memory_mb
        self.peak_mb = 0
        self.over_limit = False
        self._at_work = threading.Event()
        self._at_work.set()
        user = SANDBOX_USER if os.geteuid() == 0 else ""
        places = [root, files.code, files.opt, files.runtime, files.ca_bundle, tmp_mb, sys.base_prefix, user]
        command = [*_namespaces(), "sh", "-c", _SETUP, "sandbox", *map(str, places)]
        self._process = subprocess.Popen(
            [*command, _interpreter(), "-s", "-S", "-c", _BOOTSTRAP],
            env=environment | {"PATH": PYTHON_PATH},
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stdout,
            pass_fds=keep_open,
        )
        threading.Thread(target=self._watch_memory, daemon=True).start()

    def ended(self) -> bool:
        """Say whether the process is gone."""
        return self._process.poll() is not None

    def set_up(self) -> bool:
        """Say whether the process came to run at all."""
        return self._process.poll() != SETUP_FAILED

    def exit_reason(self) -> str:
        """Return how the process ended, in the service's words."""
        code = self._process.wait()
        number = -code if code < 0 else code - 128 if code > 128 else 0
        if number:
            words = {6: "aborted", 9: "killed", 11: "segmentation fault"}
            return f"Runtime exited with error: signal: {words.get(number, number)}"
        return f"Runtime exited with error: exit status {code}" if code else "Runtime exited without providing a reason"

    def rest(self) -> None:
        """Look at its memory no more, until it works again: dozens that only wait would take a core."""
        self._at_work.clear()

    def work(self) -> None:
        """Look at its memory again."""
        self._at_work.set()

    def kill(self) -> None:
        """End the process and all that it started."""
        self._process.kill()
        self._process.wait()
        self._at_work.set()

    def measure(self) -> int:
        """Return the megabytes that the process and its children have held at most."""
        resident = peak = 0
        for pid in _descendants(self._process.pid):
            with contextlib.suppress(OSError):
                sizes = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
                resident += _kb(sizes.get("VmRSS"))
                peak = max(peak, _kb(sizes.get("VmHWM")))
        self.peak_mb = max(self.peak_mb, -(-max(resident, peak) // 1024))
        return self.peak_mb

    def _watch_memory(self) -> None:
        while not self.ended():
            if not self._at_work.wait(REST_SECONDS):
                continue
            if self.measure() > self.memory_mb:
                self.over_limit = True
                self.peak_mb = self.memory_mb
                self._process.kill()
                return
            time.sleep(WATCH_SECONDS)


def require() -> None:
    """Raise, saying why, where functions cannot run."""
    _namespaces()


@cache
def _namespaces() -> tuple[str, ...]:
    """Return the command that gives a process namespaces of its own, tried once."""
    command = ["unshare", "--mount", "--pid", "--fork", "--kill-child"]
    if os.geteuid() != 0:
        command += ["--user", "--map-root-user"]
    try:
        tried = subprocess.run([*command, "mount", "--make-rprivate", "/"], capture_output=True, text=True, check=False)
        why = tried.stderr.strip() if tried.returncode else ""
    except FileNotFoundError as error:
        why = str(error)
    if why:
        raise SandboxError(
            "functions need root, or user namespaces for everyone, to get a sandbox like Lambda's: run the tests as "
            f"root with the right to mount, or allow unprivileged user namespaces ({' '.join(command)}: {why})"
        )
    return tuple(command)


@cache
def _interpreter() -> str:
    """Return the interpreter itself, not the virtual environment's link to it."""
    base = Path(sys.base_prefix, "bin", f"python{sys.version_info[0]}.{sys.version_info[1]}")
    found = base if base.exists() else Path(shutil.which("python3", path=f"{sys.base_prefix}/bin") or sys.executable)
    return str(found.resolve())


def _descendants(pid: int) -> list[int]:
    found: list[int] = []
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                found += [int(child), *_descendants(int(child))]
    return found


def _kb(line: str | None) -> int:
    return int(line.split()[0]) if line else 0
