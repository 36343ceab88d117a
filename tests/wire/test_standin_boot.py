"""The stand-in as a whole: boot, menu, shell and commands on a serial line, clients that reach the internet through it."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from lab.appliances.firewall import ASK_CARP, READ_CONFIG
from lab.appliances.node_word import ASK_MODE, NodeWord, ask_states, parse_word
from lab.config.differences import differences
from lab.config.tree import parse
from tests.golden_files import GOLDEN
from tests.wire.guest_root import BootedGuest
from tests.wire.namespaces import Network, Node, until

pytestmark = [pytest.mark.wire, pytest.mark.slow]

CONFIG = (GOLDEN / "standin" / "uranus-master.xml").read_text()
# The peer does not exist here: asking it for its states would only cost time.
ALONE = CONFIG.replace("<pfsyncenabled>on</pfsyncenabled>", "")
PUBLIC = "203.0.113.10"
VISIT = "import socket; socket.create_connection(('172.17.1.254', 443), 30).sendall(b'x')"


@pytest.fixture(scope="module")
def network() -> Iterator[Network]:
    made = Network()
    try:
        for segment in ("wan", "lan", "srv", "dmz", "ha"):
            made.segment(segment)
        internet = made.node("internet", wan="192.168.1.1/24")
        internet.run(f"ip addr add {PUBLIC}/32 dev lo")
        client = made.node("client", lan="172.17.1.10/24")
        client.run("ip route add default via 172.17.1.252")
        yield made
    finally:
        made.close()


def firewall(network: Network, name: str) -> Node:
    node: Node = network.node(name, wan="", lan="", srv="", dmz="", ha="")
    return node


@pytest.fixture(scope="module")
def guest(network: Network, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BootedGuest]:
    """Booted with WAN by DHCP, the menu up."""
    folder = tmp_path_factory.mktemp("guest")
    node = firewall(network, "fw")
    (folder / "dnsmasq.conf").write_text(
        "port=0\nno-ping\nleasefile-ro\ninterface=vtnet0\nbind-interfaces\n"
        "dhcp-range=192.168.1.100,192.168.1.200,255.255.255.0,1h\n"
        f"dhcp-host={node.mac('wan')},192.168.1.168\ndhcp-option=option:router,192.168.1.1\n"
    )
    network.start(network.nodes["internet"], ["dnsmasq", "-k", "-u", "root", "-C", str(folder / "dnsmasq.conf")])
    made = BootedGuest(folder / "root", node, ALONE)
    try:
        made.boot = made.menu()  # type: ignore[attr-defined]
        yield made
    finally:
        made.close()


def test_boot_says_what_it_did(guest: BootedGuest) -> None:
    boot: str = guest.boot  # type: ignore[attr-defined]
    at = 0
    for line in (
        "Welcome to Uranus stand-in",
        "External config loader 1.0 is now starting...",
        "Launching the init system... done.",
        "Configuring loopback interface...done.",
        "Configuring LAN interface...done.",
        "Configuring WAN interface...done.",
        "Configuring CARP settings...done.",
        "Configuring firewall......done.",
        "Bootup complete",
        " WAN (wan)       -> vtnet0     -> v4/DHCP4: 192.168.1.168/24",
        " HA (opt3)       -> vtnet4     -> v4: 172.17.4.254/24",
        " 8) Shell",
    ):
        assert line in boot[at:], line
        at = boot.index(line, at)
    assert "pfSense" not in boot
    steps = (guest.root / "var/log/boot.log").read_text()
    assert re.search(r"^ *\d+\.\d\d +\d+\.\d\d boot complete$", steps, re.MULTILINE)


def test_clients_reach_the_internet_through_the_vip(guest: BootedGuest, network: Network) -> None:
    client = network.nodes["client"]

    def reaches() -> bool:
        return client.start(["ping", "-n", "-c", "1", "-W", "2", PUBLIC], stdout=subprocess.DEVNULL).wait() == 0

    until(reaches, 60)
    (neighbour,) = json.loads(client.run("ip -j neigh show 172.17.1.252"))
    assert neighbour["lladdr"] == "00:00:5e:00:01:01"


def test_control_c_does_nothing_in_the_menu(guest: BootedGuest) -> None:
    guest.line.send("\x03")
    guest.type("exit")
    assert " 8) Shell" in guest.menu()


def test_control_c_leaves_a_dialogue_and_what_runs_until_then(guest: BootedGuest) -> None:
    for option, shown in (("2", "you wish to configure: "), ("4", "proceed [y|n]? "), ("9", "pfTop: Up State")):
        guest.type(option)
        guest.line.expect_exact(shown)
        guest.line.send("\x03")
        assert "*** Welcome to" in guest.menu()


def test_an_empty_answer_gives_a_fresh_login(guest: BootedGuest) -> None:
    guest.type("")
    before = guest.menu()
    assert "*** Welcome to" in before


def test_a_killed_shell_gives_the_terminal_back(guest: BootedGuest) -> None:
    guest.shell()
    guest.type("stty -echo raw; kill -9 $$")
    assert "*** Welcome to" in guest.menu()
    guest.shell()
    assert guest.run("echo heard") == "heard\n"
    guest.type("exit")
    guest.menu()


@pytest.fixture
def shell(guest: BootedGuest) -> Iterator[BootedGuest]:
    guest.shell()
    yield guest
    guest.type("exit")
    guest.menu()


def test_its_name_is_its_own_and_not_the_computers(shell: BootedGuest) -> None:
    assert shell.run("cat /proc/sys/kernel/hostname") == "master.uranus.lab\n"
    assert shell.run("readlink /proc/self/ns/uts").strip() != str(Path("/proc/self/ns/uts").readlink())


def test_ifconfig(shell: BootedGuest) -> None:
    until(lambda: "carp: MASTER vhid 1" in shell.run("ifconfig vtnet1"), 60, 0.5)
    assert re.fullmatch(
        "vtnet1: flags=8963<UP,BROADCAST,RUNNING,PROMISC,SIMPLEX,MULTICAST> metric 0 mtu 1500\n"
        "\tdescription: LAN\n"
        "\tether [0-9a-f:]{17}\n"
        "\tinet 172.17.1.254 netmask 0xffffff00 broadcast 172.17.1.255\n"
        "\tinet 172.17.1.252 netmask 0xffffff00 broadcast 172.17.1.255 vhid 1\n"
        "\tcarp: MASTER vhid 1 advbase 1 advskew 0\n"
        "\tmedia: Ethernet autoselect \\(10Gbase-T <full-duplex>\\)\n"
        "\tstatus: active\n",
        shell.run("ifconfig vtnet1"),
    )
    assert re.findall(r"^(\w+): ", shell.run("ifconfig"), re.MULTILINE) == [*(f"vtnet{n}" for n in range(5)), "lo0"]
    assert shell.run("ifconfig em0; echo $?") == "ifconfig: interface em0 does not exist\n1\n"


def test_sysctl(shell: BootedGuest) -> None:
    names = "net.inet.carp.allow net.inet.carp.preempt net.inet.carp.demotion"
    assert shell.run(f"sysctl -n {names}") == "1\n1\n0\n"
    assert shell.run("sysctl net.inet.carp.demotion=5") == "net.inet.carp.demotion: 0 -> 5\n"
    assert shell.run("sysctl net.inet.carp.demotion=-5") == "net.inet.carp.demotion: 5 -> 0\n"
    assert shell.run("sysctl net.inet.carp.no; echo $?") == "sysctl: unknown oid 'net.inet.carp.no'\n1\n"


def test_pfctl_and_netstat(shell: BootedGuest, network: Network) -> None:
    network.nodes["client"].run(f"ping -n -c 1 {PUBLIC}")
    states = shell.run("pfctl -ss")
    assert re.search(r"icmp .*172\.17\.1\.10", states)
    assert re.search(r"current entries +[1-9]\d*", shell.run("pfctl -si"))
    assert "USER_RULE: LAN to any" in shell.run("pfctl -sr")
    assert re.search(r"^\t[1-9]\d* packets sent \(IPv4\)$", shell.run("netstat -s -p carp"), re.MULTILINE)


def test_its_whole_word_and_its_file_as_the_lab_asks_for_them(shell: BootedGuest, network: Network) -> None:
    network.nodes["client"].run(f"ping -n -c 1 {PUBLIC}")

    def said() -> NodeWord:
        states = shell.run(ask_states((IPv4Address("172.17.4.254"), IPv4Address("172.17.4.253"))))
        return parse_word(shell.run(ASK_CARP), states + shell.run(ASK_MODE))

    word = said()
    assert [(each.nic, each.vhid, each.state) for each in word.carp.vhids] == [
        (f"vtnet{number}", number, "MASTER") for number in range(1, 5)
    ]
    assert word.states >= 2
    assert word.creators == ("a1",)
    assert (word.maintenance, word.pfsync) == (False, None)
    shell.run("pfSsh.php playback enablecarpmaint")
    assert said().maintenance
    shell.run("pfSsh.php playback disablecarpmaint")
    shown = shell.run(READ_CONFIG)
    assert "carpsecret" not in shown
    stored = parse((shell.root / "cf/conf/config.xml").read_bytes()).root
    assert {each.section for each in differences(parse(shown.encode()).root, stored)} <= {
        "system",
        "virtualip",
        "hasync",
    }


def test_carp_off_and_on(shell: BootedGuest) -> None:
    assert shell.run("pfSsh.php playback disablecarp; echo $?") == "Disabling CARP...\n0\n"
    off = shell.run("ifconfig vtnet1")
    assert "carp:" not in off
    assert "172.17.1.252" not in off
    assert shell.run("sysctl -n net.inet.carp.allow net.inet.carp.demotion") == "0\n0\n"
    assert shell.run("pfSsh.php playback enablecarp; echo $?") == "Enabling CARP...\n0\n"
    assert "carp: BACKUP vhid 1" in shell.run("ifconfig vtnet1")


def test_maintenance_is_stored(shell: BootedGuest) -> None:
    stored = shell.root / "cf/conf/config.xml"
    shell.run("pfSsh.php playback enablecarpmaint")
    assert "advskew 254" in shell.run("ifconfig vtnet1")
    assert "<virtualip_carp_maintenancemode>" in stored.read_text()
    shell.run("pfSsh.php playback disablecarpmaint")
    assert "advskew 0" in shell.run("ifconfig vtnet1")
    assert "<virtualip_carp_maintenancemode>" not in stored.read_text()


def test_a_new_lease_is_taken(shell: BootedGuest) -> None:
    """The lease file changes as udhcpc's script would change it: address, route and translation follow."""
    shell.run("echo ip=192.168.1.77 >/run/standin/lease.vtnet0; echo mask=24 >>/run/standin/lease.vtnet0")
    shell.run("echo router=192.168.1.1 >>/run/standin/lease.vtnet0; kill -HUP 1")
    until(lambda: "192.168.1.77" in shell.run("ip -4 addr show vtnet0"), 30, 0.2)
    until(lambda: "snat ip to 192.168.1.77" in shell.run("cat /tmp/rules.debug"), 30, 0.2)
    assert "via 192.168.1.1" in shell.run("ip route show default")


def test_an_edited_rule_obeys_after_a_reload(shell: BootedGuest, network: Network) -> None:
    """The whole way: a rule in the file on the firewall, its reload script, a packet on the wire."""
    client = network.nodes["client"]
    words = ["ping", "-n", "-c", "1", "-W", "1", "172.17.1.254"]
    assert client.start(words, stdout=subprocess.DEVNULL).wait() == 0
    shell.run("sed -i 's,<type>pass</type>,<type>block</type>,' /conf/config.xml; /etc/rc.filter_configure_sync")
    assert client.start(words, stdout=subprocess.DEVNULL).wait() != 0
    shell.run("sed -i 's,<type>block</type>,<type>pass</type>,' /conf/config.xml; /etc/rc.filter_configure_sync")
    assert client.start(words, stdout=subprocess.DEVNULL).wait() == 0


def test_the_carp_daemon_comes_back_when_it_dies(shell: BootedGuest) -> None:
    before = shell.run("cat /run/standin/carpd.pid")
    shell.run("kill -9 $(cat /run/standin/carpd.pid)")
    until(lambda: shell.run("cat /run/standin/carpd.pid") != before, 30, 0.2)
    until(lambda: "carp: MASTER vhid 1" in shell.run("ifconfig vtnet1"), 60, 0.5)


def test_a_new_address_is_taken_by_reload_all(shell: BootedGuest) -> None:
    shell.run("sed -i 's,172.17.2.254,172.17.2.250,' /conf/config.xml; /etc/rc.reload_all")
    assert "inet 172.17.2.250 " in shell.run("ifconfig vtnet2")
    assert "172.17.2.250" in shell.run("pfctl -sr")
    assert shell.run("sed -i 's,172.17.2.250,172.17.2.254,' /conf/config.xml; /etc/rc.reload_all; echo $?") == "0\n"


def ended(guest: BootedGuest, answer: list[str]) -> int:
    for text in answer:
        guest.type(text)
    return guest.process.wait(timeout=60)


@pytest.mark.parametrize(("answers", "option"), [(["5", "y"], "reboot"), (["6", "y"], "halt")])
def test_end(network: Network, tmp_path: Path, answers: list[str], option: str) -> None:
    """In a process namespace the kernel answers reboot(2) by ending process 1. The console keeps its shape until then."""
    guest = BootedGuest(tmp_path / "root", firewall(network, f"e-{option}"), ALONE.replace("dhcp<", "none<"))
    try:
        guest.menu()
        assert ended(guest, answers) != 0
    finally:
        guest.close()


def test_no_configuration(network: Network, tmp_path: Path) -> None:
    """The menu must come, and the shell with it, so that one can be put there."""
    guest = BootedGuest(tmp_path / "root", firewall(network, "empty"), ALONE.replace("</pfsense>", ""))
    try:
        text = guest.menu()
        assert "The configuration cannot be used: /: not well-formed XML" in text
        guest.shell()
        assert "is missing" not in guest.run("ls /cf/conf")
        assert "not well-formed" in guest.run("/etc/rc.reload_all")
    finally:
        guest.close()


def test_option_11_ends_the_web_interface_and_the_next_visitor_gets_another(
    guest: BootedGuest, network: Network
) -> None:
    pid = guest.root / "run/standin/web.pid"

    def visit() -> str:
        network.nodes["client"].start(["python3", "-c", VISIT]).wait()
        until(pid.exists, 60)
        return pid.read_text()

    first = visit()
    guest.type("11")
    guest.line.expect_exact("Restarting webConfigurator... done.")
    guest.menu()
    until(lambda: not pid.exists(), 60)
    assert visit() != first


def test_reroot_starts_everything_again(guest: BootedGuest) -> None:
    """The last of this module: the firewall is another one afterwards."""
    guest.type("5")
    guest.line.expect_exact("Enter an option: ")
    guest.type("r")
    guest.line.expect_exact("is rerooting now.")
    boot = guest.menu()
    assert "Launching the init system... done." in boot
    assert "failed" not in boot
    assert "v4: 172.17.4.254/24" in boot
