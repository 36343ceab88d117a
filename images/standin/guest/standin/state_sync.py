"""State sync between the two nodes: conntrackd where a pfSense has pfsync.

conntrackd in FTFW mode puts the peer's states straight into this kernel (no external cache). Two things make a
failback keep its flows:

- A node that takes charge runs `TAKE_CHARGE`: its conntrackd then knows the states that it had only received, and can
  give them to a peer that comes back with an empty table.
- A node that boots asks for them (`ConntrackSync.resync_from_peer`) before it lets CARP start.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from .model import StateSync

PORT = 3780
"""UDP, between the two nodes' addresses on the sync interface; the PFSYNC rule of config.xml opens it."""

RUN_DIR = Path("/run/standin")

_CONFIG = """\
Sync {{
    Mode FTFW {{
        ResendQueueSize 131072
        DisableExternalCache On
        StartupResync yes
    }}
    UDP {{
        IPv4_address {local}
        IPv4_Destination_Address {peer}
        Port {port}
        Interface {nic}
        SndSocketBuffer 1249280
        RcvSocketBuffer 1249280
        Checksum on
    }}
}}
General {{
    Systemd no
    HashSize 32768
    HashLimit 131072
    Syslog no
    LogFile {run_dir}/conntrackd.log
    LockFile {run_dir}/conntrackd.lock
    UNIX {{
        Path {run_dir}/conntrackd.ctl
    }}
    NetlinkBufferSize 2097152
    NetlinkBufferSizeMaxGrowth 8388608
    Filter From Kernelspace {{
        Protocol Accept {{
            TCP
            UDP
            ICMP
        }}
        Address Ignore {{
            IPv4_address 127.0.0.1
            IPv4_address {local}
            IPv4_address {peer}
        }}
    }}
}}
"""

_STATE_COUNT = Path("/proc/sys/net/netfilter/nf_conntrack_count")
_NEIGHBOURS = Path("/proc/net/arp")
_RESOLVED = 0x2  # ATF_COM

_POLL = 0.1  # seconds
_ASK_AGAIN = 1.0  # seconds
_PATIENCE = 2.0  # seconds without a word from a peer whose MAC does not resolve
_PATIENCE_IF_THERE = 3.0  # the same, from a peer that answers ARP
_QUIET = 0.5  # seconds
_BULK = 50  # states that arrive in _QUIET; more means that the peer is still sending its table

NO_ANSWER = "conntrackd does not answer: {said}"


class StateSyncError(RuntimeError):
    """conntrackd does not start or does not answer."""


class Resync(NamedTuple):
    """How a resync ended. states: entries in this kernel's table afterwards. seconds: what it took."""

    peer_answered: bool
    states: int
    seconds: float


def render_config(sync: StateSync, run_dir: Path = RUN_DIR) -> str:
    """conntrackd.conf of one node."""
    return _CONFIG.format(local=sync.local, peer=sync.peer, nic=sync.nic, port=PORT, run_dir=run_dir)


def take_charge_command(run_dir: Path = RUN_DIR) -> str:
    """Shell command for the moment a VHID becomes MASTER: read the kernel's table into conntrackd's own cache.

    Harmless, and silent, where there is no state sync.
    """
    return f"test ! -S {run_dir}/conntrackd.ctl || conntrackd -C {run_dir}/conntrackd.conf -R"


class ConntrackSync:
    """conntrackd of this node."""

    def __init__(self, sync: StateSync | None, run_dir: Path = RUN_DIR) -> None:
        """sync: None where all that is wanted is an end."""
        self._sync = sync
        self._run_dir = run_dir
        self._config = run_dir / "conntrackd.conf"

    def start(self, timeout: float = 10.0) -> None:
        """Write the configuration and start the daemon, anew if one runs. StateSyncError after `timeout` seconds."""
        self.stop()
        assert self._sync is not None
        self._run_dir.mkdir(parents=True, exist_ok=True)
        self._config.write_text(render_config(self._sync, self._run_dir))
        started = self._conntrackd("-d")
        _wait(lambda: self._counters() is not None, timeout, NO_ANSWER.format(said=started.stdout + started.stderr))
        self._calm()

    def is_configured(self) -> bool:
        """Whether the configuration on disk, which the daemon was started with, is this one."""
        wanted = render_config(self._sync, self._run_dir) if self._sync else ""
        return self._config.exists() and self._config.read_text() == wanted

    def is_current(self) -> bool:
        """Whether a daemon runs with this configuration."""
        return bool(self.pids()) and self.is_configured()

    def pids(self) -> list[int]:
        """The daemon's processes; its lock file does not name them."""
        wanted = [b"conntrackd", b"-C", str(self._config).encode(), b"-d", b""]
        found = []
        for cmdline in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                if cmdline.read_bytes().split(b"\0") == wanted:
                    found.append(int(cmdline.parent.name))
            except OSError:
                continue  # it ended meanwhile
        return found

    def _calm(self) -> None:
        """conntrackd makes itself the most urgent process of all: a burst of states would hold up CARP and the packets."""
        for pid in self.pids():
            os.sched_setscheduler(pid, os.SCHED_OTHER, os.sched_param(0))

    def stop(self, timeout: float = 10.0) -> None:
        """End the daemon, if one runs, and remove what a killed one leaves behind."""
        if self._config.exists() and self._conntrackd("-k").returncode == 0:
            _wait(lambda: self._conntrackd("-s").returncode != 0, timeout, NO_ANSWER.format(said="-k"))
        for leftover in ("conntrackd.lock", "conntrackd.ctl"):
            (self._run_dir / leftover).unlink(missing_ok=True)

    def take_charge(self) -> None:
        """What `take_charge_command` does."""
        self._conntrackd("-R")

    def resync_from_peer(self, deadline: float = 10.0) -> Resync:
        """Have the peer send its whole table and wait until it is here; at most `deadline` seconds.

        To be called after `start` and before CARP is allowed. A peer that is not there costs 2 seconds.
        """
        assert self._sync is not None
        start = time.monotonic()
        asked = start  # conntrackd asks by itself when it starts (StartupResync)
        while (now := time.monotonic()) - start < deadline:
            if self._counters():
                self._conntrackd("-n")  # the first request may have been lost on a link that had just come up
                self._wait_for_quiet(start + deadline)
                return Resync(True, state_count(), time.monotonic() - start)
            patience = _PATIENCE_IF_THERE if is_neighbour(str(self._sync.peer)) else _PATIENCE
            if now - start >= patience:
                break
            if now - asked >= _ASK_AGAIN:
                asked = now
                self._conntrackd("-n")
            time.sleep(_POLL)
        return Resync(False, state_count(), time.monotonic() - start)

    @staticmethod
    def _wait_for_quiet(deadline: float) -> None:
        before = state_count()
        while time.monotonic() < deadline:
            time.sleep(_QUIET)
            now = state_count()
            if now - before <= _BULK:
                return
            before = now

    def _counters(self) -> int | None:
        """Packets received from the peer; None when conntrackd does not answer."""
        return received_packets(self._conntrackd("-s").stdout)

    def _conntrackd(self, option: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["conntrackd", "-C", str(self._config), option], capture_output=True, text=True, check=False
        )


def received_packets(statistics: str) -> int | None:
    """Packets received, from the text of `conntrackd -s`: `  2 Pckts sent   3 Pckts recv`. None without that line."""
    for line in statistics.splitlines():
        words = line.split()
        if words[1:3] == ["Pckts", "sent"] and words[4:6] == ["Pckts", "recv"]:
            return int(words[3])
    return None


def state_count() -> int:
    """Entries in this namespace's connection tracking table; 0 where the kernel tracks nothing."""
    return int(_STATE_COUNT.read_text()) if _STATE_COUNT.exists() else 0


def is_neighbour(address: str, table: str | None = None) -> bool:
    """Whether the address has answered ARP, by /proc/net/arp or the text given."""
    for line in (_NEIGHBOURS.read_text() if table is None else table).splitlines()[1:]:
        ip, _, flags, *_ = line.split()
        if ip == address:
            return bool(int(flags, 16) & _RESOLVED)
    return False


def _wait(condition: Callable[[], bool], seconds: float, failure: str) -> None:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise StateSyncError(failure)
        time.sleep(_POLL)
