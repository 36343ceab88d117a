"""Two whole stand-ins, the master synchronising its configuration: over real HTTPS, from namespaces, with an XML-RPC client not ours."""

from __future__ import annotations

import fcntl
import json
import os
import re
import select
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import bcrypt
import pytest

from lab.appliances.appliance import STANDIN
from lab.appliances.firewall import Firewall
from lab.appliances.stored_config import read_stored
from lab.appliances.sync_law import compare
from lab.appliances.xmlrpc import XmlRpc, XmlRpcFault, XmlRpcRefusedError
from lab.errors import LabError
from lab.host.door import Door
from lab.host.pins import Pins
from tests.wire.namespaces import Network, Node, run, until
from tests.wire.test_standin_pair import Cluster

pytestmark = [pytest.mark.wire, pytest.mark.slow]

PASSWORD = "Admin-pass.1"
"""Of the golden files; their hash is of nothing."""
HASH = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
"""One for both nodes, as a lab has one; cheap."""
CALL = """
import json, ssl, sys, xmlrpc.client
url, method, params = json.load(sys.stdin)
context = ssl._create_unverified_context()
server = xmlrpc.client.ServerProxy(url, context=context)
try:
    print(json.dumps({"answer": getattr(server, "pfsense." + method)(*params)}))
except xmlrpc.client.Fault as fault:
    print(json.dumps({"fault": [fault.faultCode, fault.faultString]}))
"""
HALF = """
import socket, ssl
link = ssl._create_unverified_context().wrap_socket(socket.create_connection(("172.17.1.254", 443)))
link.sendall(b"POST /xmlrpc.php HTTP/1.1\\r\\nContent-Type: text/xml\\r\\nContent-Length: 5000\\r\\n\\r\\n<methodCall>")
link.close()
"""


class Pair:
    """Firewalls a (master) and b (backup) with a client on LAN and a server on SRV."""

    def __init__(self, network: Network, folder: Path) -> None:
        self.cluster = Cluster(network, folder)
        self.network, self.client = network, self.cluster.client
        self.server = network.node("server", srv="172.17.2.10/24")
        self.server.run("ip route add default via 172.17.2.252")
        for name in ("a", "b"):
            self.cluster.power_on(name, self._mended)
        for name in ("a", "b"):
            self.cluster.ready(name)
        until(lambda: (self.cluster.state("a"), self.cluster.state("b")) == ({"MASTER"}, {"BACKUP"}), 60, 0.5)

    @staticmethod
    def _mended(config: str) -> str:
        """A hash that fits the password."""
        return re.sub(r"<bcrypt-hash>[^<]*", f"<bcrypt-hash>{HASH}", config)

    def run(self, name: str, command: str) -> str:
        return self.cluster.guests[name].run(command)

    def root(self, name: str) -> Path:
        return self.cluster.guests[name].root

    def log(self, name: str) -> str:
        return (self.root(name) / "var/log/system.log").read_text()

    def config(self, name: str) -> str:
        """config.xml without the note of its last change."""
        return re.sub(r"(?s)<revision>.*</revision>", "", (self.root(name) / "cf/conf/config.xml").read_text())

    def call(self, method: str, *params: Any, host: str = "172.17.1.254", **more: Any) -> Any:
        """The answer, or [code, text] of the fault."""
        caller: Node = more.get("caller", self.client)
        url = f"https://admin:{more.get('password', PASSWORD)}@{host}/xmlrpc.php"
        asked = json.dumps([url, method, params]).encode()
        process = caller.start([sys.executable, "-c", CALL], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        out, _ = process.communicate(asked, timeout=60)
        given = json.loads(out)
        return given["answer"] if "answer" in given else given["fault"]

    def reaches_server(self) -> bool:
        ping = ["ping", "-n", "-c", "1", "-W", "1", "172.17.2.10"]
        return self.client.start(ping, stdout=subprocess.DEVNULL).wait() == 0


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    network = Network()
    made = None
    try:
        made = Pair(network, tmp_path_factory.mktemp("pair"))
        yield made
    finally:
        if made:
            made.cluster.close()
        network.close()


def test_a_stranger_client_is_answered(pair: Pair) -> None:
    found = pair.call("host_firmware_version", "", 60)
    assert found["platform"] == "Uranus stand-in"
    assert found["config_version"] == "22.9"
    assert list(pair.call("backup_config_section", ["virtualip", "nothing"])) == ["virtualip"]


def test_a_wrong_password_is_a_fault_and_is_logged(pair: Pair) -> None:
    fault = pair.call("host_firmware_version", "", 60, password="wrong")
    assert fault == [-1, "Authentication failed: Invalid username or password"]
    assert "/xmlrpc.php: webConfigurator authentication error for user 'admin' from: 172.17.1.10" in pair.log("a")


def test_a_half_sent_request_changes_nothing(pair: Pair) -> None:
    before = pair.config("a")
    assert pair.client.start([sys.executable, "-c", HALF]).wait(30) == 0
    assert pair.call("host_firmware_version", "", 60)["config_version"] == "22.9"
    assert pair.config("a") == before


def test_a_sync_loop_is_refused_without_a_word_to_the_caller(pair: Pair) -> None:
    before = pair.config("a")
    backup = pair.cluster.nodes["b"]
    assert pair.call("restore_config_section", {"filter": {}}, 60, caller=backup, host="172.17.4.254") is True
    assert pair.config("a") == before
    assert "/xmlrpc.php: Disallowing CARP sync loop" in pair.log("a")


def test_a_call_waits_for_the_lock(pair: Pair) -> None:
    with (pair.root("a") / "tmp/xmlrpc.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        url = f"https://admin:{PASSWORD}@172.17.1.254/xmlrpc.php"
        asked = json.dumps([url, "host_firmware_version", ["", 60]]).encode()
        process = pair.client.start([sys.executable, "-c", CALL], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert process.stdin
        process.stdin.write(asked)
        process.stdin.close()
        time.sleep(1.5)
        assert process.poll() is None
    assert process.wait(30) == 0


def test_a_sync_arrives_and_a_second_one_changes_nothing(pair: Pair) -> None:
    assert pair.run("a", "/etc/rc.filter_synchronize; echo $?") == "0\n"
    said = pair.log("a")
    url = "https://172.17.4.253:443/xmlrpc.php"
    for line in (
        f"rc.filter_synchronize: Beginning XMLRPC sync data to {url}.",
        f"rc.filter_synchronize: XMLRPC reload data success with {url} (pfsense.host_firmware_version).",
        "rc.filter_synchronize: XMLRPC versioncheck: 22.9 -- 22.9",
        f"rc.filter_synchronize: XMLRPC reload data success with {url} (pfsense.restore_config_section).",
    ):
        assert line in said
    assert "/xmlrpc.php: Configuration Change: (system)@172.17.4.254: Merged in config (" in pair.log("b")
    first, carp = pair.config("b"), [carp_lines(pair.log(name)) for name in "ab"]
    assert first.count("<advskew>100</advskew>") == 4
    assert pair.run("a", "/etc/rc.filter_synchronize; echo $?") == "0\n"
    assert pair.config("b") == first
    assert [carp_lines(pair.log(name)) for name in "ab"] == carp
    assert (pair.cluster.state("a"), pair.cluster.state("b")) == ({"MASTER"}, {"BACKUP"})


def carp_lines(log: str) -> list[str]:
    return [line for line in log.splitlines() if " kernel: carp: " in line]


def test_a_rule_changed_on_the_master_changes_the_verdict_of_both_nodes(pair: Pair) -> None:
    assert pair.reaches_server()
    rules = pair.call("backup_config_section", ["filter"])["filter"]
    block = {
        "tracker": "1800000001", "type": "block", "interface": "lan", "ipprotocol": "inet", "descr": "no ping",
        "source": {"network": "lan"}, "destination": {"address": "172.17.2.10"},
    }  # fmt: skip
    changed = {"filter": {"rule": [block, *rules["rule"]]}}
    assert pair.call("restore_config_section", changed, 60) is True
    assert not pair.reaches_server()
    until(lambda: "<descr><![CDATA[no ping]]></descr>" in pair.config("b"), 30, 0.2)
    until(lambda: "no ping" in pair.run("b", "pfctl -sr"), 30, 0.2)
    assert pair.call("restore_config_section", {"filter": rules}, 60) is True
    assert pair.reaches_server()
    until(lambda: "no ping" not in pair.run("b", "pfctl -sr"), 30, 0.2)


class Switch:
    """Where the segments' bridges are, in the place of a lab's world."""

    def __init__(self, network: Network) -> None:
        self._network = network

    def spawn(self, command: list[str], **streams: Any) -> Switch:
        self._process = subprocess.Popen(["ip", "netns", "exec", self._network.switch, *command], **streams)
        return self

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait()


@contextmanager
def client(pair: Pair, name: str, pins: Path, password: str = PASSWORD) -> Iterator[XmlRpc]:
    """The lab's own client, through its own door."""
    address = {"a": "172.17.1.254", "b": "172.17.1.253"}[name]
    with Door(Switch(pair.network), "br-lan", ["172.17.1.201", "172.17.1.200"], address, 443) as door:  # type: ignore[arg-type]
        yield XmlRpc(name, door.dial, lambda seen: Pins(pins).check(name, seen), "admin", password)


def test_the_labs_client_reads_both_nodes_and_judges_the_sync(pair: Pair, tmp_path: Path) -> None:
    with client(pair, "a", tmp_path / "pins") as a, client(pair, "b", tmp_path / "pins") as b:
        assert a.host_firmware_version().config_version == "22.9"
        ours, theirs = read_stored(a), read_stored(b)
        assert [each.wrong for each in compare(ours, theirs) if each.wrong] == []
        sections = {each.section for each in compare(ours, theirs) if each.differ}
        assert sections == {"system", "interfaces", "virtualip", "hasync"}
        b.restore_config_section({"aliases": {"alias": [{"name": "only_here", "type": "host", "address": "1.2.3.4"}]}})
        assert [each.section for each in compare(ours, read_stored(b)) if each.wrong] == ["aliases"]
        with pytest.raises(XmlRpcFault, match=r"fault -32601: server error\. requested method not found"):
            a.call("filter_configure")
        with pytest.raises(XmlRpcFault, match="has no PHP: nothing was executed"):
            a.call("exec_php", "touch('/tmp/x');")
    with client(pair, "a", tmp_path / "pins", "wrong") as a, pytest.raises(XmlRpcRefusedError, match="fault -1"):
        a.host_firmware_version()
    (tmp_path / "other").write_text(json.dumps({"a": "00" * 32}))
    with client(pair, "a", tmp_path / "other") as a, pytest.raises(LabError, match="another one than before"):
        a.host_firmware_version()
    addresses = run(f"ip -n {pair.network.switch} -o -4 addr show dev br-lan")
    assert "172.17.1.20" not in addresses, "the door leaves nothing"


BROWSER = """
import http.cookiejar, json, re, ssl, sys, urllib.parse, urllib.request
jar = http.cookiejar.CookieJar()
browser = urllib.request.build_opener(
    urllib.request.HTTPSHandler(context=ssl._create_unverified_context()), urllib.request.HTTPCookieProcessor(jar)
)
base, word = "https://172.17.1.254", ""
for path, form in json.load(sys.stdin):
    if form is not None and word and "usernamefld" not in form:
        form = {"__csrf_magic": word, **form}
    data = urllib.parse.urlencode(form).encode() if form is not None else None
    try:
        page = browser.open(base + path, data).read().decode()
    except urllib.error.HTTPError as error:
        page = str(error.code)
    found = re.search('name="__csrf_magic" value="([^"]*)"', page)
    word = found[1] if found else word
    print(json.dumps(page))
"""


def browse(pair: Pair, *visits: tuple[str, dict[str, str] | None]) -> list[str]:
    """The pages of these visits, cookies kept."""
    process = pair.client.start([sys.executable, "-c", BROWSER], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    out, _ = process.communicate(json.dumps(visits).encode(), timeout=60)
    return [json.loads(line) for line in out.splitlines()]


def test_the_page_shows_every_vip_and_its_buttons_work(pair: Pair) -> None:
    login = ("/index.php", {"usernamefld": "admin", "passwordfld": PASSWORD, "login": "Sign In"})
    wrong = ("/index.php", {"usernamefld": "admin", "passwordfld": "guess", "login": "Sign In"})
    page = "/status_carp.php"
    stranger, refused, status, nothing = browse(pair, (page, None), wrong, login, ("/diag_command.php", None))
    assert "Sign In" in stranger
    assert "172.17.1.252" not in stranger
    assert "Username or Password incorrect" in refused
    assert "This is the Uranus stand-in, not pfSense" in status
    assert re.findall(r"<td>(\w+@\d+)</td><td>([\d./]+)</td><td class=\"(\w+)\">", status) == [
        ("LAN@1", "172.17.1.252/24", "MASTER"),
        ("SRV@2", "172.17.2.252/24", "MASTER"),
        ("DMZ@3", "172.17.3.252/24", "MASTER"),
        ("WAN@5", "192.168.1.252/24", "MASTER"),
    ]
    assert nothing == "404"
    off, on, entered, left = browse(
        pair,
        login,
        (page, {"disablecarp": "Temporarily Disable CARP"}),
        (page, {"disablecarp": "Enable CARP"}),
        (page, {"carp_maintenancemode": "Enter Persistent CARP Maintenance Mode"}),
        (page, {"carp_maintenancemode": "Leave Persistent CARP Maintenance Mode"}),
    )[1:]
    assert ("4 IPs have been disabled." in off, off.count(">DISABLED<"), ">Enable CARP<" in off) == (True, 4, True)
    assert ("CARP has been enabled." in on, ">Temporarily Disable CARP<" in on) == (True, True)
    assert "Entering Persistent CARP Maintenance Mode." in entered
    assert ">Leave Persistent CARP Maintenance Mode<" in entered
    assert "Leaving Persistent CARP Maintenance Mode." in left
    forged = (page, {"disablecarp": "1", "__csrf_magic": "0"})
    assert browse(pair, login, forged)[1] == "403"
    assert "Sign In" in browse(pair, (page, {"disablecarp": "1"}))[0]
    until(lambda: pair.cluster.state("a") == {"MASTER"}, 30, 0.5)


@contextmanager
def serial_socket(line: int, path: Path) -> Iterator[bytearray]:
    """A guest's terminal as a socket, which is how QEMU offers it, for one client. What the guest prints is given back."""
    ended = threading.Event()
    printed = bytearray()

    def copy() -> None:
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(str(path))
            listening.listen(1)
            ready.set()
            client, _ = listening.accept()
            with client, suppress(BrokenPipeError):  # who has hung up wants no more
                while not ended.is_set():
                    for source in select.select([line, client], [], [], 0.05)[0]:
                        if source is client:
                            data = client.recv(4096)
                            if not data:
                                return
                            os.write(line, data)
                        else:
                            data = os.read(line, 4096)
                            printed.extend(data)
                            client.sendall(data)

    ready = threading.Event()
    thread = threading.Thread(target=copy)
    thread.start()
    ready.wait()
    try:
        yield printed
    finally:
        ended.set()
        thread.join()


def test_a_new_configuration_over_the_console_is_obeyed_and_not_echoed(pair: Pair, tmp_path: Path) -> None:
    """What lab.push does to each node: it decides on the wire, and VHIDs that stay do not notice."""
    guest, path = pair.cluster.guests["a"], pair.root("a") / "cf/conf/config.xml"
    before, log = path.read_text(), tmp_path / "a.log"
    log.touch()
    block = (
        "<filter><rule><tracker>1800000002</tracker><type>block</type><interface>lan</interface>"
        "<ipprotocol>inet</ipprotocol><source><network>lan</network></source>"
        "<destination><address>172.17.2.10</address></destination><descr>pushed</descr></rule>"
    )
    firewall = Firewall("a", STANDIN, tmp_path / "a.sock", log)
    for text, reached in ((before.replace("<filter>", block, 1), False), (before, True)):
        quiet = carp_lines(pair.log("a"))
        with serial_socket(guest.line.child_fd, tmp_path / "a.sock") as printed:
            firewall.install_config(text.encode())
        assert b"config.new" in printed
        assert b"H4sI" not in printed, "what is sent is echoed, and so is in the transcript, secrets included"
        (tmp_path / "a.sock").unlink()
        assert path.read_text() == text
        assert path.stat().st_mode & 0o777 == 0o600
        assert pair.reaches_server() is reached
        assert carp_lines(pair.log("a")) == quiet
    assert not list(path.parent.glob("config.new*"))
    guest.shell()
    assert pair.cluster.state("a") == {"MASTER"}


def test_another_version_stops_the_sync(pair: Pair) -> None:
    path = pair.root("b") / "cf/conf/config.xml"
    kept = path.read_text()
    path.write_text(kept.replace("<version>22.9<", "<version>23.3<"))
    assert pair.run("a", "/etc/rc.filter_synchronize; echo $?") == "1\n"
    assert "XMLRPC versioncheck: 23.3 -- 22.9" in pair.log("a")
    path.write_text(kept)
