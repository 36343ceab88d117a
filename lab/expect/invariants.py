"""What has to hold in a healthy cluster at all times, by name."""

from __future__ import annotations

from enum import StrEnum


class Name(StrEnum):
    """ONE_MASTER: one master per VHID, outside the law's own window. ALL_ON_ONE: one node is master of all. PREEMPTED: the first
    firewall is master again. CLIENTS: every probe that should be answered is.

    PASSWORD, VHID, SKEW, MASK: both nodes' settings of each virtual address agree, the skews in the topology's order.
    PFSYNC_PEER, PFSYNC_RULE: each names the other as its peer, and lets its states in. XMLRPC_RULE, SYNC_PASSWORD: the backup
    lets the master's configuration in, and the master knows the backup's password. CONFIG: what is synchronised is the same on both.
    STATES: the peer holds a connection that was made through the other.
    """

    ONE_MASTER = "one master per VHID"
    ALL_ON_ONE = "all VHIDs on one node"
    PREEMPTED = "master preempted"
    CLIENTS = "clients recovered"
    PASSWORD = "CARP passwords agree"
    VHID = "VHIDs agree"
    SKEW = "skews in order"
    MASK = "VIP masks agree"
    PFSYNC_PEER = "pfsync peers name each other"
    PFSYNC_RULE = "pfsync is let in"
    XMLRPC_RULE = "XML-RPC is let in"
    SYNC_PASSWORD = "sync password is right"
    CONFIG = "configurations in sync"
    STATES = "states in sync"
