"""After the machine stood still: an advert that waited meanwhile counts before the timer that ran out meanwhile."""

from __future__ import annotations

import pytest

from lab.carp.engine import Host
from lab.carp.events import BACKUP, MASTER, AddressAdd, InterfaceNew, Receive, VhidSet
from lab.carp.outcomes import Devd
from lab.carp.packet import Advert, Authenticator, ipv4_packet, pack_address, password_key

VIP = pack_address("192.0.2.1")
KEY = password_key("secret")


@pytest.mark.parametrize(("event_first", "states"), [(True, []), (False, [MASTER, BACKUP])])
def test_a_waiting_advert_keeps_a_backup_from_taking_over(event_first: bool, states: list[str]) -> None:
    host = Host(lambda: 0)
    host.handle(InterfaceNew("em0", bytes(6)), 0)
    host.handle(VhidSet("em0", 1, 1, 100, KEY), 0)
    host.handle(AddressAdd("em0", VIP, 1), 0)
    advert = Authenticator(KEY, 1, [VIP]).sign(Advert(1, 1, 0, 1)).pack()
    packet = ipv4_packet(pack_address("192.0.2.2"), advert)
    thaw = 60_000_000
    outcomes = host.handle(Receive("em0", packet), thaw, jump=True, event_first=event_first)
    outcomes += host.advance(thaw, jump=True)
    assert [outcome.state for outcome in outcomes if isinstance(outcome, Devd)] == states
    assert host.vhids()[0].md == thaw + 3_390_625
