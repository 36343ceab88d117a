"""A rule in config.xml decides what happens on the wire: change one, and the verdict changes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.golden_files import GOLDEN
from tests.wire.namespaces import Network
from tests.wire.zones import Zones

pytestmark = pytest.mark.wire

CONFIG = (
    (GOLDEN / "standin" / "uranus-master.xml")
    .read_text()
    .replace("<ipaddr>dhcp</ipaddr>", "<ipaddr>192.168.1.168</ipaddr><subnet>24</subnet><gateway>GW</gateway>")
)
PUBLIC = "203.0.113.10"
LAN, SRV, DMZ = "172.17.1.10", "172.17.2.10", "172.17.3.10"
ROUTER_WAN, ROUTER_LAN, ROUTER_HA = "192.168.1.168", "172.17.1.254", "172.17.4.254"


@pytest.fixture(scope="module")
def zones() -> Iterator[Zones]:
    network = Network()
    try:
        yield Zones(network)
    finally:
        network.close()


def config(*edits: tuple[str, str]) -> str:
    text = CONFIG
    for old, new in edits:
        assert old in text, old
        text = text.replace(old, new)
    return text


def rule(kind: str, interface: str, protocol: str, source: str, destination: str, more: str = "") -> tuple[str, str]:
    """An edit that puts one rule in front of all others."""
    spec = f"<protocol>{protocol}</protocol>" if protocol else ""
    ends = f"<source>{source}</source><destination>{destination}</destination>"
    body = f"<rule><type>{kind}</type><interface>{interface}</interface>{spec}{ends}{more}</rule>"
    return "<filter>\n", f"<filter>\n{body}"


ANY = "<any></any>"


RENDERED = (GOLDEN / "config" / "uranus" / "rules-master.xml").read_text()


@pytest.mark.parametrize("text", [CONFIG, pytest.param(RENDERED, marks=pytest.mark.slow)], ids=["sample", "rendered"])
def test_the_lab_as_designed(zones: Zones, text: str) -> None:
    """LAN to any; SRV to any but LAN; DMZ to the internet only; WAN nowhere."""
    zones.obey(text)
    assert zones.answered("lan", "tcp", PUBLIC, 80).split()[0] == ROUTER_WAN
    assert zones.answered("lan", "udp", SRV, 53).split()[0] == LAN
    assert zones.answered("srv", "tcp", PUBLIC, 80).split()[0] == ROUTER_WAN
    assert zones.answered("dmz", "tcp", PUBLIC, 443).split()[0] == ROUTER_WAN
    assert zones.pings("lan", PUBLIC)
    assert zones.pings("lan", DMZ)
    assert zones.silent("srv", "tcp", LAN, 80)
    assert zones.silent("dmz", "tcp", LAN, 80)
    assert zones.silent("dmz", "udp", SRV, 53)
    assert zones.silent("wan", "tcp", LAN, 80)
    assert zones.denies_ping("wan", LAN)
    assert zones.denies_ping("wan", ROUTER_WAN)
    assert zones.denies_ping("dmz", LAN)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("edit", "zone", "kind", "host", "port"),
    [
        (("<type>block</type>\n\t\t\t<interface>opt1</interface>", "<type>pass</type><interface>opt1</interface>"), "srv", "tcp", LAN, 80),
        (("<network>lan</network></destination>", "<network>lan</network><not></not></destination>"), "srv", "tcp", LAN, 80),
        (("<network>lan</network></destination>", "<network>lanip</network></destination>"), "srv", "tcp", LAN, 80),
        (("<address>172.17.0.0/16</address>", "<address>172.17.2.0/24</address>"), "dmz", "tcp", LAN, 80),
        (rule("pass", "wan", "tcp", ANY, "<network>lan</network><port>80</port>"), "wan", "tcp", LAN, 80),
        (rule("pass", "wan", "tcp/udp", ANY, f"<address>{LAN}</address><port>50-60</port>"), "wan", "udp", LAN, 53),
        (rule("pass", "opt1", "", "<network>opt1</network>", "<network>(self)</network>"), "srv", "tcp", "172.17.2.254", 22),
        (rule("pass", "opt1", "tcp", ANY, "<network>opt1ip</network><port>22</port>"), "srv", "tcp", "172.17.2.254", 22),
        (rule("pass", "opt1,opt2", "tcp", ANY, ANY, "<floating>yes</floating><quick>yes</quick>"), "dmz", "tcp", LAN, 80),
    ],
    ids=["block to pass", "not", "net to ip", "CIDR", "port", "tcp/udp and range", "(self)", "optNip", "floating quick"],
)  # fmt: skip
def test_one_change_opens(zones: Zones, edit: tuple[str, str], zone: str, kind: str, host: str, port: int) -> None:
    before = config() if host != "172.17.2.254" else config(("<network>opt1</network>", "<network>opt2</network>"))
    zones.obey(before)
    assert zones.silent(zone, kind, host, port)
    zones.obey(config(edit))
    zones.answered(zone, kind, host, port)


FLOATING_OUT = rule("block", "", "tcp", ANY, ANY, "<floating>yes</floating><direction>out</direction>")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("edit", "zone", "kind", "host", "port"),
    [
        (("<type>pass</type>\n\t\t\t<interface>lan</interface>", "<type>block</type><interface>lan</interface>"), "lan", "tcp", PUBLIC, 80),
        (("<interface>lan</interface>\n\t\t\t<ipprotocol>", "<disabled/><interface>lan</interface><ipprotocol>"), "lan", "tcp", PUBLIC, 80),
        (("<interface>lan</interface>\n\t\t\t<ipprotocol>inet<", "<interface>lan</interface><ipprotocol>inet6<"), "lan", "tcp", PUBLIC, 80),
        (rule("block", "lan", "tcp", ANY, "<any></any><port>8000</port>"), "lan", "tcp", PUBLIC, 8000),
        (rule("block", "lan", "udp", "<network>lan</network>", ANY), "lan", "udp", PUBLIC, 53),
        (FLOATING_OUT, "lan", "tcp", PUBLIC, 80),
        (("<enable></enable>\n\t\t\t<if>vtnet1</if>", "<if>vtnet1</if>"), "lan", "tcp", PUBLIC, 80),
    ],
    ids=["pass to block", "disabled", "inet6 only", "port", "protocol", "floating out", "interface off"],
)  # fmt: skip
def test_one_change_closes(zones: Zones, edit: tuple[str, str], zone: str, kind: str, host: str, port: int) -> None:
    zones.obey(config())
    zones.answered(zone, kind, host, port)
    zones.obey(config(edit))
    assert zones.silent(zone, kind, host, port)


@pytest.mark.slow
def test_reject_answers_where_block_is_silent(zones: Zones) -> None:
    zones.obey(config(rule("reject", "lan", "tcp", ANY, "<any></any><port>8000</port>")))
    assert zones.refused("lan", PUBLIC, 8000)
    zones.obey(config(rule("reject", "lan", "udp", ANY, "<any></any><port>8000</port>")))
    assert zones.ask("lan", "udp", PUBLIC, 8000, 20)["failed"] == "Connection refused"
    zones.answered("lan", "tcp", PUBLIC, 8000)


@pytest.mark.slow
def test_first_match_wins_among_interface_rules_and_the_last_among_floating_ones(zones: Zones) -> None:
    _, block = rule("block", "lan", "tcp", ANY, ANY)
    _, passes = rule("pass", "lan", "tcp", ANY, ANY)
    zones.obey(config(("<filter>\n", block + passes.removeprefix("<filter>\n"))))
    assert zones.silent("lan", "tcp", PUBLIC, 80)
    floating = "<floating>yes</floating><direction>in</direction>"
    _, block = rule("block", "wan", "tcp", ANY, ANY, floating)
    _, passes = rule("pass", "wan", "tcp", ANY, ANY, floating)
    zones.obey(config(("<filter>\n", block + passes.removeprefix("<filter>\n"))))
    zones.answered("wan", "tcp", LAN, 80)
    zones.obey(config(("<filter>\n", passes + block.removeprefix("<filter>\n"))))
    assert zones.silent("wan", "tcp", LAN, 80)


@pytest.mark.slow
def test_the_web_pages_stay_reachable_from_lan_alone(zones: Zones) -> None:
    nothing = config(("<type>pass</type>", "<type>block</type>"))
    zones.obey(nothing)
    zones.answered("lan", "tcp", ROUTER_LAN, 443)
    assert zones.silent("lan", "tcp", ROUTER_LAN, 8443)
    assert zones.silent("srv", "tcp", "172.17.2.254", 443)
    zones.obey(nothing.replace("<protocol>https</protocol>", "<protocol>https</protocol><noantilockout/>"))
    assert zones.silent("lan", "tcp", ROUTER_LAN, 443)


def test_sync_traffic_needs_its_rules(zones: Zones) -> None:
    """Without the two HA rules nothing gets in; the pfsync rule opens state sync and nothing else."""
    xmlrpc, pfsync = "<descr><![CDATA[HA: XMLRPC sync]]></descr>", "<descr><![CDATA[HA: pfsync]]></descr>"
    off = "<disabled></disabled>"
    neither = config((xmlrpc, xmlrpc + off), (pfsync, pfsync + off))
    zones.obey(neither)
    assert zones.silent("ha", "udp", ROUTER_HA, 3780)
    assert zones.silent("ha", "tcp", ROUTER_HA, 443)
    zones.obey(config((xmlrpc, xmlrpc + off)))
    zones.answered("ha", "udp", ROUTER_HA, 3780)
    assert zones.silent("ha", "tcp", ROUTER_HA, 443)
    assert zones.silent("ha", "udp", ROUTER_HA, 53)
    zones.obey(config((pfsync, pfsync + off)))
    zones.answered("ha", "tcp", ROUTER_HA, 443)
    assert zones.silent("ha", "udp", ROUTER_HA, 3780)
    _, udp = rule("pass", "opt3", "udp", ANY, ANY)
    zones.obey(neither.replace("<filter>\n", udp, 1))
    zones.answered("ha", "udp", ROUTER_HA, 53)
    assert zones.silent("ha", "udp", ROUTER_HA, 3780), "a rule for UDP is no rule for pfsync"


SEND_FLAGS = """
import socket, sys
from scapy.layers.inet import IP, TCP
link = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
for flags in sys.argv[3:]:
    link.sendto(bytes(IP(dst=sys.argv[1]) / TCP(sport=int(sys.argv[2]), dport=80, flags=flags)), (sys.argv[1], 0))
"""


def delivered(zones: Zones, source_port: int, flags: list[str]) -> set[int]:
    """TCP flag bytes that reach the host on SRV when LAN sends one packet of each kind, the last a SYN that must."""
    sniff = (
        "import socket\n"
        "link = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0x0008)\n"
        "link.settimeout(20)\nprint('ready', flush=True)\nseen = []\n"
        "while 2 not in seen:\n"
        "    data = link.recv(2048)\n"
        "    seen += [data[33]] if data[9] == 6 and data[22:24] == b'\\0\\x50' else []\n"
        "print(*seen, flush=True)\n"
    )
    watcher = zones.hosts["srv"].start([sys.executable, "-c", sniff], stdout=subprocess.PIPE)
    assert watcher.stdout
    assert watcher.stdout.readline() == b"ready\n"
    sender = zones.hosts["lan"].start([sys.executable, "-c", SEND_FLAGS, SRV, str(source_port), *flags, "S"])
    assert sender.wait() == 0
    output, _ = watcher.communicate(timeout=60)
    return {int(word) for word in output.split()}


@pytest.mark.parametrize("loose", [0, 1])
def test_only_a_syn_opens_a_tcp_state(zones: Zones, loose: int) -> None:
    zones.obey(config())
    zones.router.sysctl("net.netfilter.nf_conntrack_tcp_loose", loose)
    try:
        assert delivered(zones, 40000 + loose, ["A", "PA", "SA", "F", "R"]) == {0x02}
    finally:
        zones.router.sysctl("net.netfilter.nf_conntrack_tcp_loose", 0)


@pytest.mark.slow
def test_an_open_connection_survives_a_change_of_rules(zones: Zones) -> None:
    """pf keeps its states over a reload; so do we."""
    zones.obey(config())
    listener = (
        "import socket\n"
        "link = socket.create_server(('', 9000))\nprint('ready', flush=True)\n"
        "peer, _ = link.accept()\n"
        "while data := peer.recv(64):\n    peer.sendall(data)\n"
    )
    server = zones.hosts["srv"].start([sys.executable, "-S", "-c", listener], stdout=subprocess.PIPE)
    zones.network.processes.append(server)
    assert server.stdout
    assert server.stdout.readline() == b"ready\n"
    talker = (
        "import socket, sys\n"
        f"link = socket.create_connection(('{SRV}', 9000), 20)\n"
        "for line in sys.stdin.buffer:\n"
        "    link.sendall(line)\n    sys.stdout.buffer.write(link.recv(64))\n    sys.stdout.flush()\n"
    )
    client = zones.hosts["lan"].start(
        [sys.executable, "-S", "-c", talker], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    zones.network.processes.append(client)
    assert client.stdin
    assert client.stdout

    def echo(word: bytes) -> bytes:
        assert client.stdin
        assert client.stdout
        client.stdin.write(word)
        client.stdin.flush()
        return client.stdout.readline()

    assert echo(b"before\n") == b"before\n"
    zones.obey(
        config(("<type>pass</type>\n\t\t\t<interface>lan</interface>", "<type>block</type><interface>lan</interface>"))
    )
    assert zones.silent("lan", "tcp", SRV, 80)
    assert echo(b"after\n") == b"after\n"
    client.stdin.close()


@pytest.mark.slow
def test_a_vips_own_device_obeys_the_same_rules(zones: Zones) -> None:
    """While MASTER the VIP stands on a macvlan with the virtual MAC; what comes in there is judged as the interface's."""
    router = zones.router
    zones.obey(config())
    router.sysctl("net.ipv4.conf.all.arp_ignore", 1)
    router.sysctl("net.ipv4.conf.all.arp_announce", 2)
    router.sysctl("net.ipv4.conf.all.rp_filter", 0)
    for nic in ("default", "vtnet1", "vtnet3"):
        router.sysctl(f"net.ipv4.conf.{nic}.rp_filter", 0)
    for nic, vhid, vip in (("vtnet1", 1, "172.17.1.252"), ("vtnet3", 3, "172.17.3.252")):
        router.run(f"ip link add {nic}.{vhid} link {nic} address 00:00:5e:00:01:0{vhid} type macvlan mode private")
        router.run(f"ip link set {nic}.{vhid} up")
        router.run(f"ip addr add {vip}/24 dev {nic}.{vhid} noprefixroute")
    for zone, vip in (("lan", "172.17.1.252"), ("dmz", "172.17.3.252")):
        zones.hosts[zone].run(f"ip route replace default via {vip}")
    try:
        assert zones.pings("lan", "172.17.1.252")
        assert zones.pings("dmz", "172.17.3.252")
        assert zones.answered("lan", "tcp", PUBLIC, 80).split()[0] == ROUTER_WAN
        assert zones.answered("dmz", "tcp", PUBLIC, 80).split()[0] == ROUTER_WAN
        assert zones.silent("dmz", "tcp", LAN, 80)
        assert zones.silent("dmz", "tcp", "172.17.3.252", 443)
    finally:
        for device in ("vtnet1.1", "vtnet3.3"):
            router.run(f"ip link del {device}")
        for zone, real in (("lan", ROUTER_LAN), ("dmz", "172.17.3.254")):
            zones.hosts[zone].run(f"ip route replace default via {real}")


NAT_TO_VIP = (
    "<mode>automatic</mode>",
    "<mode>hybrid</mode><rule><interface>wan</interface><source><network>172.17.1.0/24</network></source>"
    "<destination><any></any></destination><target>192.168.1.252</target></rule>",
)


@pytest.mark.slow
def test_outbound_nat_to_a_vip(zones: Zones) -> None:
    zones.router.run("ip addr add 192.168.1.252/24 dev vtnet0")
    try:
        zones.obey(config(NAT_TO_VIP))
        assert zones.answered("lan", "tcp", PUBLIC, 80).split()[0] == "192.168.1.252"
        assert zones.answered("srv", "tcp", PUBLIC, 80).split()[0] == ROUTER_WAN
        zones.obey(config((NAT_TO_VIP[0], "<mode>disabled</mode>")))
        assert zones.answered("lan", "tcp", PUBLIC, 80).split()[0] == LAN
    finally:
        zones.router.run("ip addr del 192.168.1.252/24 dev vtnet0")


@pytest.mark.slow
def test_low_source_ports_are_rewritten_unless_the_rule_keeps_them(zones: Zones) -> None:
    zones.obey(config())
    assert int(zones.answered("lan", "udp", PUBLIC, 53, source=500).split()[1]) >= 1024
    static = NAT_TO_VIP[1].replace("<target>192.168.1.252</target>", "<target></target><staticnatport/>")
    zones.obey(config((NAT_TO_VIP[0], static)))
    assert zones.answered("lan", "udp", PUBLIC, 53, source=501) == f"{ROUTER_WAN} 501"


@pytest.mark.slow
def test_port_forward(zones: Zones) -> None:
    forward = (
        "<nat>\n",
        "<nat><rule><interface>wan</interface><protocol>tcp</protocol><source><any></any></source>"
        "<destination><network>wanip</network><port>8443</port></destination><target>172.17.3.10</target>"
        "<local-port>80</local-port><associated-rule-id>pass</associated-rule-id></rule>",
    )
    zones.obey(config())
    assert zones.silent("wan", "tcp", ROUTER_WAN, 8443)
    zones.obey(config(forward))
    assert zones.answered("wan", "tcp", ROUTER_WAN, 8443).split()[0] == "192.168.1.1"
    zones.obey(config((forward[0], forward[1].replace("<associated-rule-id>pass</associated-rule-id>", ""))))
    assert zones.silent("wan", "tcp", ROUTER_WAN, 8443)


@pytest.mark.slow
def test_private_and_bogon_sources_are_blocked_before_any_rule(zones: Zones) -> None:
    opened = rule("pass", "wan", "", ANY, ANY)
    zones.obey(config(opened))
    zones.answered("wan", "tcp", LAN, 80)
    zones.obey(config(opened, ("<if>vtnet0</if>", "<if>vtnet0</if><blockpriv></blockpriv>")))
    assert zones.silent("wan", "tcp", LAN, 80)
    zones.answered("lan", "tcp", PUBLIC, 80)
    zones.obey(config(opened, ("<if>vtnet0</if>", "<if>vtnet0</if><blockbogons></blockbogons>")))
    zones.answered("wan", "tcp", LAN, 80)


@pytest.mark.slow
def test_a_spoofed_source_is_dropped(zones: Zones) -> None:
    """A LAN address that arrives on DMZ, where a rule would pass anything from DMZ's own net only."""
    zones.obey(config())
    zones.hosts["dmz"].run("ip addr add 172.17.1.99/32 dev vtnet0")
    try:
        words = ["ping", "-n", "-c", "1", "-W", "1", "-I", "172.17.1.99", PUBLIC]
        assert zones.hosts["dmz"].start(words, stdout=subprocess.DEVNULL).wait() != 0
        dropped = zones.router.run("nft list chain inet standin undecided")
        line = next(line for line in dropped.splitlines() if "antispoof for LAN" in line)
        assert "packets 0" not in line
    finally:
        zones.hosts["dmz"].run("ip addr del 172.17.1.99/32 dev vtnet0")


@pytest.mark.slow
def test_icmp_opens_by_a_question_only(zones: Zones) -> None:
    zones.obey(config(rule("pass", "wan", "icmp", ANY, "<network>wanip</network>", "<icmptype>echoreq</icmptype>")))
    assert zones.pings("wan", ROUTER_WAN)
    assert zones.denies_ping("wan", LAN)
    zones.obey(config(rule("pass", "wan", "icmp", ANY, "<network>wanip</network>", "<icmptype>timereq</icmptype>")))
    assert zones.denies_ping("wan", ROUTER_WAN)


def test_ipv6_is_closed(zones: Zones) -> None:
    zones.obey(config())
    listed = zones.router.run("nft list chain inet standin forward")
    assert listed.index("nfproto ipv6 drop") < listed.index("ct state")


def test_every_sample_loads(zones: Zones) -> None:
    files = [GOLDEN / "standin" / "kitchen-sink.xml", *sorted((GOLDEN / "config").glob("*/*.xml"))]
    for path in files:
        zones.obey(path.read_text())
