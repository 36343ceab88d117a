"""The recorded XML-RPC exchanges with pfSense 2.7.0's own xmlrpc.php, against the stand-in's: the same answers, byte for byte."""

from __future__ import annotations

from pathlib import Path

import pytest
from standin.xmlrpc.config_array import parse
from standin.xmlrpc.php import Array, at
from standin.xmlrpc.server import Caller, Server

from lab.console.catalogue.text import PFSENSE
from tests.unit.standin.xmlrpc_nodes import FakeNode

OBSERVED = Path(__file__).parent / "observed" / "xmlrpc"
PASSWORDS = {"pfsense": "$2b$10$13u6qwCOwODv34GyCMgdWub6oQF3RX0rG7c3d3X4JvzuEmAXLYDd2"}
KERNEL = "6.18.44"
"""Of the computer the recordings were made on."""

# The configuration that the recordings were made with, as far as they show it.
VIP = """<vip><mode>carp</mode><interface>{key}</interface><vhid>{n}</vhid><advskew>0</advskew><advbase>1</advbase>
<password><![CDATA[carpsecret{n}]]></password><uniqid>64b0000000254{n}</uniqid><descr><![CDATA[{descr} CARP]]></descr>
<type>single</type><subnet_bits>24</subnet_bits><subnet>172.17.{n}.252</subnet></vip>"""
VIPS = "".join(
    VIP.format(key=key, n=number, descr=descr)
    for number, (key, descr) in enumerate((("lan", "LAN"), ("opt1", "SRV"), ("opt2", "DMZ"), ("opt3", "HA")), 1)
)
SENT = ("rules", "aliases", "nat", "virtualip", "schedules")
TOGGLES = "".join(f"<synchronize{name}>on</synchronize{name}>" for name in SENT)
CONFIG = f"""<?xml version="1.0"?>
<pfsense><version>22.9</version>
<system><user><name>admin</name><uid>0</uid><bcrypt-hash>{PASSWORDS["pfsense"]}</bcrypt-hash></user></system>
<virtualip>{VIPS}</virtualip>
<hasync><pfsyncenabled>on</pfsyncenabled><pfsyncpeerip>172.17.4.253</pfsyncpeerip><pfsyncinterface>opt3</pfsyncinterface>
<pfhostid>a1</pfhostid><synchronizetoip>172.17.4.253</synchronizetoip><username>admin</username><password>pfsense</password>
{TOGGLES}</hasync></pfsense>
""".encode()


def recorded(path: Path) -> tuple[str, str, bytes, bytes]:
    """User, password, request body, answer body."""
    head, _, rest = path.read_text().partition("\n\n")
    request, _, answer = rest.partition("\n\n--- response 200 text/xml; charset=utf-8\n\n")
    user, _, password = head.partition("(Basic ")[2].rstrip(")").partition(":")
    return user, password, request.encode(), answer.rstrip("\n").encode()


@pytest.mark.parametrize("path", sorted(OBSERVED.glob("*.txt")), ids=lambda path: path.stem)
def test_the_answer_is_the_recorded_one(path: Path) -> None:
    user, password, request, answer = recorded(path)
    node = FakeNode(parse(CONFIG), kernel=KERNEL)
    assert Server(node, Caller("10.0.0.1", user, password), PFSENSE).answer(request) == answer


def test_the_recorded_restore_replaces_the_vips() -> None:
    user, password, request, _ = recorded(OBSERVED / "restore_virtualip.txt")
    node = FakeNode(parse(CONFIG))
    Server(node, Caller("10.0.0.1", user, password), PFSENSE).answer(request)
    vips = at(node.stored, "virtualip", "vip")
    assert isinstance(vips, dict)
    sent: Array = {
        "mode": "carp", "interface": "lan", "vhid": "1", "advskew": "100", "advbase": "1", "password": "changed1",
        "uniqid": "65a0000000001", "descr": "LAN VIP", "type": "single", "subnet_bits": "24", "subnet": "172.17.1.252",
    }  # fmt: skip
    assert list(vips.values()) == [sent]
    assert node.acts == ["store Merged in config (virtualip sections) from XMLRPC client.", "obey with VIPs"]
