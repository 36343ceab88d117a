"""The one piece that needs root: namespace, mounts, libvirtd, commands inside a lab's world.

It runs as a program of its own (`python -m lab.host.privileged VERB JSON`, see lab.host.sudo), so that the engine never
changes its own namespaces. Answers are one JSON line on stdout; a failure is {"problem": ...} and exit code 3.
Verbs: create, libvirtd, broker, run, processes, destroy. Each is idempotent. stdin is a leash: the caller holds its other end.
What makes things does so under the lab's lock and only while the caller lives; `destroy` takes the same lock. Nothing
is then made behind the back of a lab.down that follows a kill -9.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import select
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from lab.errors import LabError
from lab.host import advert_watch, daemon, members, serial_lines, syscalls
from lab.host.members import NETNS, is_namespace
from lab.paths import LabPaths

PROBLEM = 3
"""Exit code of a verb that failed with a LabError."""

LOCK_WAIT = 90.0
"""Seconds to wait for another verb on the same lab; the longest one is the start of libvirtd."""

LEASH_GRACE = 2.0
"""Seconds a command gets between SIGTERM and SIGKILL after its caller let go."""

BUSY = "Another command is at work on this lab's namespace"
ORPHANED = "The command that wanted this has ended"
BUSY_CURE = "Wait for it to end, then try again."
NO_WORLD = "The lab's network namespace does not exist"
NO_WORLD_CURE = "Run lab.up."
LINKS = "The lab's bridges could not be made"
LINKS_CURE = "The kernel needs bridge support (module `bridge`): modprobe bridge."
FORBIDDEN = "The kernel refuses a new network namespace"
FORBIDDEN_CURE = "Run as root on the machine itself; inside a container it needs CAP_SYS_ADMIN (--privileged)."

SYSCTLS = (
    ("net/ipv6/conf/all/disable_ipv6", "1"),
    ("net/ipv6/conf/default/disable_ipv6", "1"),
    ("net/ipv4/ip_forward", "0"),
    ("net/bridge/bridge-nf-call-iptables", "0"),
    ("net/bridge/bridge-nf-call-ip6tables", "0"),
    ("net/bridge/bridge-nf-call-arptables", "0"),
)
"""A new namespace starts with the bridge-nf ones at 1 and ip_forward as on the host. Absent ones are skipped."""


def _orphaned() -> bool:
    """Whether the caller let go of the leash, that is, died."""
    ready, _, _ = select.select([0], [], [], 0)
    return bool(ready) and not os.read(0, 4096)


@contextlib.contextmanager
def _making(paths: LabPaths) -> Iterator[None]:
    """The lock, for verbs that make things."""
    with _locked(paths):
        if _orphaned():
            raise LabError(ORPHANED)
        yield


@contextlib.contextmanager
def _locked(paths: LabPaths) -> Iterator[None]:
    """One verb at a time on one lab. The lock lies on the state directory itself and ends with its process."""
    try:
        handle = os.open(paths.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        yield
        return
    try:
        deadline = time.monotonic() + LOCK_WAIT
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise LabError(BUSY, cure=BUSY_CURE) from None
                time.sleep(members.POLL)
        yield
    finally:
        os.close(handle)


def _open_or_make(paths: LabPaths) -> None:
    """Move this process into the lab's network namespace, made here where there is none."""
    name = NETNS / paths.namespace
    while not is_namespace(name):
        NETNS.mkdir(mode=0o755, parents=True, exist_ok=True)
        try:
            os.close(os.open(name, os.O_CREAT | os.O_RDONLY | os.O_CLOEXEC, 0o444))
        except FileNotFoundError:
            continue  # another lab's end removed the empty directory in between
        try:
            syscalls.unshare(syscalls.CLONE_NEWNET)
            syscalls.bind("/proc/self/ns/net", name)
        except PermissionError as error:
            name.unlink()
            raise LabError(FORBIDDEN, seen=str(error), cure=FORBIDDEN_CURE) from error
        return
    _enter(paths)


def _enter(paths: LabPaths) -> None:
    name = NETNS / paths.namespace
    if not is_namespace(name):
        raise LabError(NO_WORLD, expected=str(name), cure=NO_WORLD_CURE)
    handle = os.open(name, os.O_RDONLY | os.O_CLOEXEC)
    try:
        syscalls.setns(handle, syscalls.CLONE_NEWNET)
    finally:
        os.close(handle)


def _link_batch(bridges: Sequence[str], present: set[str]) -> str:
    """Lines for `ip -batch`: make what is missing, set every option of all."""
    lines = ["link set lo up"]
    for bridge in bridges:
        verb = "set" if bridge in present else "add"
        options = "type bridge stp_state 0 forward_delay 0 mcast_snooping 0"
        if bridge in present:
            # Only with spanning tree off may the delay be 0.
            lines.append(f"link set dev {bridge} type bridge stp_state 0")
        lines += [f"link {verb} dev {bridge} {options}", f"link set dev {bridge} up"]
    return "\n".join(lines) + "\n"


def create(paths: LabPaths, bridges: Sequence[str]) -> None:
    """Make or repair the namespace with its bridges. Raises LabError."""
    with _making(paths):
        _open_or_make(paths)
        for key, value in SYSCTLS:
            knob = Path("/proc/sys") / key
            if knob.exists():
                knob.write_text(value)
        present = {name for _, name in socket.if_nameindex()}
        done = subprocess.run(
            ["ip", "-batch", "-"], input=_link_batch(bridges, present), text=True, capture_output=True, check=False
        )
        if done.returncode != 0:
            raise LabError(LINKS, seen=done.stderr.strip(), cure=LINKS_CURE)
        for bridge in bridges:
            knob = Path("/proc/sys/net/ipv6/conf") / bridge / "disable_ipv6"
            if knob.exists():
                knob.write_text("1")
        _watch()


def _watch() -> None:
    """Have the kernel write down who advertises; what it has heard so far stays. Where it cannot, lab.status listens itself."""
    if subprocess.run(advert_watch.SHOW, capture_output=True, check=False).returncode != 0:
        subprocess.run(["nft", "-f", "-"], input=advert_watch.RULES, text=True, capture_output=True, check=False)


def start_libvirtd(paths: LabPaths, owner: tuple[int, int], kvm: bool) -> None:
    """Start the lab's own libvirtd where none answers. owner: (uid, gid) that may use its sockets. Raises LabError."""
    with _making(paths):
        if daemon.answers(paths):
            return
        for stuck in [process for process in members.members(paths) if daemon.is_libvirtd(process.command)]:
            daemon.wait_or_end(paths, stuck.pid)
            if daemon.answers(paths):
                return
        _enter(paths)
        daemon.start(paths, owner, kvm)


def start_broker(paths: LabPaths, owner: tuple[int, int]) -> None:
    """Start the owner of the serial lines where none answers: in the lab's namespace, with the caller's rights. Raises LabError."""
    with _making(paths):
        if serial_lines.answers(paths):
            return
        _enter(paths)
        serial_lines.start(paths, owner)


def run(paths: LabPaths, command: Sequence[str], text: str) -> int:
    """Run a command inside the world with our stdout and stderr; `text` is its stdin. Returns its exit code.

    When the caller lets go of the leash, or dies, the command ends too.
    """
    _enter(paths)
    try:
        child = subprocess.Popen(command, stdin=subprocess.PIPE if text else subprocess.DEVNULL)
    except OSError as error:
        sys.stderr.write(f"{command[0]}: {error.strerror}\n")
        return 127
    signal.signal(signal.SIGTERM, lambda *_: child.terminate())
    signal.signal(signal.SIGINT, lambda *_: child.send_signal(signal.SIGINT))
    if child.stdin:
        with contextlib.suppress(BrokenPipeError):
            child.stdin.write(text.encode())
            child.stdin.close()
    _hold(child)
    code = child.wait()
    return code if code >= 0 else 128 - code


def _hold(child: subprocess.Popen[bytes]) -> None:
    """Return when the child has ended, or end it once our stdin is at its end."""
    with selectors.DefaultSelector() as selector:
        ended = os.pidfd_open(child.pid)
        selector.register(ended, selectors.EVENT_READ)
        selector.register(0, selectors.EVENT_READ)
        while True:
            ready = {key.fd for key, _ in selector.select()}
            if ended in ready:
                return
            if not os.read(0, 4096):
                child.terminate()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    child.wait(LEASH_GRACE)
                    return
                child.kill()
                return


def destroy(paths: LabPaths, owner: tuple[int, int]) -> None:
    """End the world: processes, mount, name, runtime files. Raises LabError if a process cannot be ended."""
    with _locked(paths):
        members.end_all(paths)
        name = NETNS / paths.namespace
        while is_namespace(name):
            syscalls.detach(name)
        # Removing the file also drops the copies of the mount that other mount namespaces hold.
        name.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            NETNS.rmdir()  # only if empty, and no mount of iproute2's
        for directory in daemon.RUNTIME:
            shutil.rmtree(paths.libvirt / directory, ignore_errors=True)
        for entry in (paths.root / "console").glob("*"):
            if entry.is_socket():
                entry.unlink(missing_ok=True)
        for tree in (paths.libvirt, paths.root / "console"):
            give(tree, owner)


def give(tree: Path, owner: tuple[int, int]) -> None:
    """Everything below `tree` belongs to the caller again: libvirtd wrote there as root."""
    if not tree.is_dir():
        return
    for directory, _, files in os.walk(tree):
        for entry in (directory, *(os.path.join(directory, file) for file in files)):  # noqa: PTH118
            with contextlib.suppress(FileNotFoundError):
                os.chown(entry, *owner, follow_symlinks=False)


def main(verb: str, request: str) -> int:
    """Entry of the program. Returns its exit code."""
    words = json.loads(request)
    paths = LabPaths(Path(words["root"]))
    owner = (int(words["owner"][0]), int(words["owner"][1]))
    answer: object = {}
    try:
        if verb == "run":
            return run(paths, words["command"], words["text"])
        if verb == "create":
            create(paths, words["bridges"])
        elif verb == "libvirtd":
            start_libvirtd(paths, owner, words["kvm"])
        elif verb == "broker":
            start_broker(paths, owner)
        elif verb == "processes":
            answer = [asdict(process) for process in members.members(paths)]
        elif verb == "destroy":
            destroy(paths, owner)
        else:
            raise LabError(f"No such verb: {verb}")
    except LabError as error:
        if verb == "run":
            sys.stderr.write(f"{error}\n")  # stdout is the command's
        else:
            print(json.dumps({"problem": asdict(error.problem)}))
        return PROBLEM
    print(json.dumps({"answer": answer}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
