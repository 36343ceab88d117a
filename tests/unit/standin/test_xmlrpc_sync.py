"""What a master sends, what a receiver makes of it, and what is logged when it does not work. Expectations: pfSense 2.7.0's PHP."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable

import pytest
from standin.xmlrpc.codec import Fault, decode_call, encode_fault, encode_response
from standin.xmlrpc.config_array import dump, parse
from standin.xmlrpc.merge import restore
from standin.xmlrpc.php import Array, array_at, arrays_in, at, text_at
from standin.xmlrpc.post import post
from standin.xmlrpc.sections import to_send, wanted
from standin.xmlrpc.server import Caller, Server
from standin.xmlrpc.sync import NoConnectionError, NotXmlRpcError, Peer, Sync, peer_of

from lab.console.catalogue.text import PFSENSE, STANDIN
from tests.golden_files import GOLDEN
from tests.unit.standin.xmlrpc_nodes import FakeNode

CONFIGS = GOLDEN / "config" / "uranus"
MASTER = (CONFIGS / "rules-master.xml").read_text()
BARE = (CONFIGS / "bare-backup.xml").read_text()
VIP = "<vip><mode>{mode}</mode><interface>{on}</interface><advskew>{skew}</advskew><uniqid>{id}</uniqid></vip>"


def config(text: str = MASTER, *edits: tuple[str, str]) -> Array:
    for old, new in edits:
        assert old in text
        text = text.replace(old, new, 1)
    return parse(text.encode())


def descriptions(config: Array, *path: str) -> list[str]:
    return [text_at(each, "descr") for each in arrays_in(array_at(config, *path))]


def test_a_file_survives_reading_and_writing() -> None:
    for path in CONFIGS.glob("*.xml"):
        once = dump(parse(path.read_bytes()))
        assert dump(parse(once)) == once
    odd = b"<?xml version='1.0'?><PFSENSE><a>x &amp;lt; y</a><descr><![CDATA[1 &lt; 2 &eacute;]]></descr><b> </b></PFSENSE>"
    assert parse(odd) == {"a": "x &lt; y", "descr": "1 < 2 é", "b": ""}
    assert parse(dump(parse(odd))) == parse(odd)


def test_the_master_sends_what_is_ticked() -> None:
    assert wanted(config()) == [
        "filter", "nat", "aliases", "dhcpd", "wol", "shaper", "dnshaper", "staticroutes", "gateways", "virtualip", "ipsec",
        "openvpn", "cert", "ca", "crl", "user", "group", "authserver", "unbound", "schedules", "captiveportal",
    ]  # fmt: skip
    only = config(MASTER, ("<synchronizerules>on</synchronizerules>", "<synchronizerules></synchronizerules>"))
    assert "filter" not in wanted(only)
    assert "schedules" in wanted(only), "asked for by its own toggle as well"


@pytest.mark.parametrize(("skew", "sent"), [("0", 100), ("100", 200), ("153", 253), ("154", 254), ("254", 254)])
def test_a_skew_is_sent_a_hundred_worse_and_capped(skew: str, sent: int) -> None:
    vip = VIP.format(mode="carp", on="lan", skew=skew, id="5f0000000000a")
    made = config(MASTER, ("<virtualip>", f"<virtualip>{vip}"))
    (first, *_) = arrays_in(array_at(to_send(made), "virtualip", "vip"))
    assert (first["advskew"], first["uniqid"]) == (sent, "5f0000000000a")


def test_items_marked_nosync_and_aliases_of_one_interface_are_not_sent() -> None:
    rule = "<rule><descr>private</descr><nosync></nosync></rule>"
    alias = VIP.format(mode="ipalias", on="lan", skew="", id="1")
    made = config(MASTER, ("<filter>", f"<filter>{rule}"), ("<virtualip>", f"<virtualip>{alias}"))
    sent = to_send(made)
    assert "private" in descriptions(made, "filter", "rule")
    assert "private" not in descriptions(sent, "filter", "rule")
    assert [text_at(each, "mode") for each in arrays_in(array_at(sent, "virtualip", "vip"))] == ["carp"] * 4


def test_a_bare_backup_gets_vips_rules_aliases_and_users() -> None:
    master = config(
        MASTER,
        ("<aliases></aliases>", "<aliases><alias><name>servers</name><descr>s</descr></alias></aliases>"),
        ("<nextuid>", "<user><name>zoe</name><uid>2000</uid></user><nextuid>"),
    )
    restored = restore(config(BARE), to_send(master))
    final = restored.accounts
    assert final is not None
    assert {text_at(each, "advskew") for each in arrays_in(array_at(final, "virtualip", "vip"))} == {"100"}
    assert descriptions(final, "filter", "rule") == descriptions(master, "filter", "rule")
    assert descriptions(final, "aliases", "alias") == ["s"]
    assert [text_at(each, "name") for each in arrays_in(array_at(final, "system", "user"))] == ["admin", "zoe"]
    assert text_at(final, "system", "hostname") == text_at(config(BARE), "system", "hostname")
    assert at(final, "hasync") == {"adminsync": "on"}
    assert restored.said == ("Adding user: zoe",)
    again = restore(final, to_send(master))
    assert (again.config, again.accounts) == (final, None)


def test_the_backup_keeps_its_own_aliases_and_loses_other_vips() -> None:
    own = VIP.format(mode="ipalias", on="lan", skew="", id="mine") + VIP.format(
        mode="carp", on="wan", skew="5", id="gone"
    )
    backup = config(BARE, ("<vlans>", f"<virtualip>{own}</virtualip><vlans>"))
    vips = arrays_in(array_at(restore(backup, to_send(config())).config, "virtualip", "vip"))
    assert text_at(vips[0], "uniqid") == "mine"
    assert "gone" not in [text_at(each, "uniqid") for each in vips]


def test_admin_stays_the_nodes_own_without_adminsync() -> None:
    changed = ("<name>admin</name>", "<name>admin</name><comment>of the master</comment>")
    sent = to_send(config(MASTER, changed))
    del sent["hasync"]
    assert restore(config(BARE), sent).accounts is None
    assert restore(config(BARE), to_send(config(MASTER, changed))).accounts is not None


class Run:
    """A sync with a peer that answers by a function."""

    def __init__(self, answer: Callable[[bytes], bytes], made: Array | None = None) -> None:
        self.said: list[str] = []
        self.slept: list[float] = []
        self.sent: list[str] = []
        self._answer = answer
        sync = Sync(PFSENSE, self._post, self.said.append, self.slept.append, lambda config, why: None)
        self.ok = sync.run(made or config())

    def _post(self, peer: Peer, body: bytes) -> bytes:
        self.sent.append(decode_call(body)[0])
        return self._answer(body)


URL = "https://172.17.4.253:443/xmlrpc.php"


def of_version(version: str) -> Callable[[bytes], bytes]:
    return lambda body: encode_response({"config_version": version} if b"host_firmware" in body else True)


def test_a_sync_that_works() -> None:
    run = Run(of_version("22.9"))
    assert run.ok
    assert run.said == [
        f"Beginning XMLRPC sync data to {URL}.",
        f"XMLRPC reload data success with {URL} (pfsense.host_firmware_version).",
        "XMLRPC versioncheck: 22.9 -- 22.9",
        f"Beginning XMLRPC sync data to {URL}.",
        f"XMLRPC reload data success with {URL} (pfsense.restore_config_section).",
    ]


def test_another_version_is_not_synchronised() -> None:
    run = Run(of_version("23.3"))
    assert (run.ok, run.sent) == (False, ["pfsense.host_firmware_version"])
    assert run.said[-1] == (
        "The other member is on a different configuration version of pfSense. Sync will not be done to prevent problems!"
    )


def test_a_wrong_password_is_tried_four_times_a_second_apart() -> None:
    refusal = Fault(-1, "Authentication failed: Invalid username or password")
    run = Run(lambda body: encode_fault(refusal))
    text = "Exception calling XMLRPC method host_firmware_version #-1 : Authentication failed: Invalid username or password"
    assert (run.ok, len(run.sent), run.slept) == (False, 4, [1.0] * 3)
    once = [f"Beginning XMLRPC sync data to {URL}.", text, f"Retrying XMLRPC Request due to error: {text}"]
    assert run.said == [
        *once * 3,
        *once[:2],
        text,
        "XMLRPC versioncheck:  -- 22.9",
        "The pfSense software configuration version of the other member could not be determined. "
        "Skipping synchronization to avoid causing a problem!",
    ]


def test_a_dead_peer_is_told_in_freebsds_words() -> None:
    def dead(_: bytes) -> bytes:
        raise NoConnectionError("Unable to connect to tls://172.17.4.253:443. Error: Operation timed out")

    run = Run(dead)
    assert not run.ok
    assert run.said[1] == (
        "Retrying XMLRPC Request due to error: A communications error occurred while attempting to call XMLRPC method "
        "host_firmware_version: Unable to connect to tls://172.17.4.253:443. Error: Operation timed out"
    )


def test_a_port_where_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(
        NoConnectionError, match=rf"Unable to connect to tls://127.0.0.1:{port}. Error: Connection refused"
    ):
        post(Peer(True, "127.0.0.1", port, "admin", "x"), b"")


def test_a_peer_without_tls_is_named_as_such() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=lambda: server.accept()[0].sendall(b"HTTP/1.1 400 no\r\n\r\n"))
        thread.start()
        with pytest.raises(NoConnectionError, match=r"(?i)ssl|wrong version|record"):
            post(Peer(True, "127.0.0.1", server.getsockname()[1], "admin", "x"), b"")
        thread.join()


def test_an_answer_that_is_no_xmlrpc_is_told() -> None:
    def serve(server: socket.socket) -> None:
        link, _ = server.accept()
        with link:
            link.recv(65536)
            link.sendall(b"HTTP/1.1 404 Not Found\r\n\r\ngone")

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve, args=(server,))
        thread.start()
        with pytest.raises(NotXmlRpcError, match=r"Received non-200 HTTP Code: 404\. Response body:gone"):
            post(Peer(False, "127.0.0.1", server.getsockname()[1], "admin", "x"), b"")
        thread.join()


def test_port_and_scheme_are_those_of_the_own_web_interface() -> None:
    web = "<protocol>https</protocol>"
    peers = [
        peer_of(config(MASTER, (web, f"<protocol>{protocol}</protocol>{port}")))
        for protocol, port in (
            ("https", ""),
            ("http", ""),
            ("https", "<port>8443</port>"),
            ("http", "<port>443</port>"),
        )
    ]
    assert [peer.url.removesuffix("/xmlrpc.php") for peer in peers if peer] == [
        "https://172.17.4.253:443", "http://172.17.4.253:80", "https://172.17.4.253:8443", "https://172.17.4.253:443",
    ]  # fmt: skip
    assert peer_of(config(BARE)) is None


def call(body: bytes, node: FakeNode) -> bytes:
    return Server(node, Caller("172.17.4.254"), STANDIN).answer(body)


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        (b"<methodCall><methodName>pfsense.reboot</methodName><params>", (0, "Unable to parse request XML")),
        (b"", (0, "Unable to parse request XML")),
        (
            b"<methodCall><methodName>system.listMethods</methodName></methodCall>",
            (-32601, "server error. requested method not found"),
        ),
        (
            b"<methodCall><methodName>pfsense.exec_php</methodName><params><param><value><int>1</int></value></param></params>"
            b"</methodCall>",
            (-32602, "server error. invalid method parameters"),
        ),
        (
            b"<methodCall><methodName>pfsense.reboot</methodName></methodCall>",
            (-1, "Authentication failed: Invalid username or password"),
        ),
    ],
)
def test_what_is_no_proper_call_does_nothing(body: bytes, fault: tuple[int, str]) -> None:
    node = FakeNode(config(BARE))
    assert call(body, node) == encode_fault(Fault(*fault))
    assert node.acts == []
