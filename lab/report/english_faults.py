"""Every fault in English: a headline, what was done, how it was undone."""

from __future__ import annotations

from lab.report.words import FaultWords

FAULT_WORDS = {
    "kill": FaultWords(
        "Node {node} loses power",
        "Then node {node} was switched off without any grace: no farewell, no last advert.",
        "the node was switched on again",
    ),
    "kill-both": FaultWords(
        "Both nodes lose power",
        "Then both nodes were switched off at once, without any grace.",
        "both were switched on again",
    ),
    "carp-off": FaultWords(
        "CARP is disabled on node {node}",
        "Then CARP was disabled on node {node}, as the button “Temporarily Disable CARP” does: the node lives on and "
        "keeps its own addresses, but lets go of every virtual one and falls silent.",
        "CARP was enabled again",
    ),
    "maintenance": FaultWords(
        "Node {node} enters maintenance mode",
        "Then node {node} entered persistent CARP maintenance mode: from its next advert on it announces the worst "
        "skew.",
        "it left maintenance mode",
    ),
    "demotion": FaultWords(
        "Node {node} is demoted",
        "Then the demotion counter of node {node} was raised by 240, and its next advert, sent at once, said so.",
        "the counter was lowered again",
    ),
    "reboot": FaultWords(
        "Node {node} reboots",
        "Then node {node} was asked to reboot: it shuts down in order, and CARP goes first.",
        "it had booted",
    ),
    "halt": FaultWords(
        "Node {node} is halted",
        "Then node {node} was asked to halt: it shuts down in order, and CARP goes first.",
        "it was switched on again",
    ),
    "freeze": FaultWords(
        "Node {node} freezes",
        "Then node {node} was frozen: it stands still and knows nothing of it.",
        "it was let go on",
    ),
    "return-early": FaultWords(
        "Node {node} freezes and returns early",
        "Then node {node} was frozen, and let go on while the backup was about to take over.",
        "it was let go on",
    ),
    "unplug": FaultWords(
        "Node {node} loses its cable on {network}",
        "Then the cable of node {node} on network {network} was pulled.",
        "the cable was put back",
    ),
    "flap": FaultWords(
        "The cable of node {node} on {network} flaps",
        "Then the cable of node {node} on network {network} was pulled and put back after a moment.",
        "the cable was in again",
    ),
    "loss": FaultWords(
        "Network {network} loses frames",
        "Then network {network} began to lose a part of its frames.",
        "the network was sound again",
    ),
    "delay": FaultWords(
        "Network {network} is slow at node {node}",
        "Then frames of node {node} on network {network} were held back.",
        "the delay was taken away",
    ),
    "wrong-password": FaultWords(
        "Node {node} has a wrong CARP password",
        "Then the CARP password of one virtual address was changed on node {node} alone.",
        "the right password was put back",
    ),
    "wrong-vhid": FaultWords(
        "Node {node} has a wrong VHID",
        "Then the VHID of one virtual address was changed on node {node} alone.",
        "the right VHID was put back",
    ),
    "equal-skews": FaultWords(
        "Both nodes have the same skew",
        "Then the skew of one virtual address on node {node} was made equal to its peer's.",
        "the skew was put right",
    ),
    "vip-mask": FaultWords(
        "Node {node} has a wrong VIP mask",
        "Then the mask of one virtual address was made /32 on node {node} alone.",
        "the mask was put right",
    ),
    "pfsync-peer": FaultWords(
        "Node {node} names a wrong pfsync peer",
        "Then node {node} was told that it is its own pfsync peer.",
        "the right peer was put back",
    ),
    "pfsync-rule": FaultWords(
        "Node {node} lacks the pfsync rule",
        "Then the rule that lets states in was removed from node {node}.",
        "the rule was put back",
    ),
    "xmlrpc-rule": FaultWords(
        "Node {node} lacks the XML-RPC rule",
        "Then the rule that lets the configuration in was removed from node {node}.",
        "the rule was put back",
    ),
    "sync-password": FaultWords(
        "Node {node} has a wrong sync password",
        "Then node {node} was given a wrong password for the configuration's synchronisation.",
        "the right password was put back",
    ),
}
