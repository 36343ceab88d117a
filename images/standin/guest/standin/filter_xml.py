"""The `<filter>`, `<nat>` and `<aliases>` sections of config.xml -> frozen rules."""

from __future__ import annotations

from standin.settings import Alias, Endpoint, OutboundNat, OutboundRule, PortForward, Rule
from standin.xmlnode import Node, SettingsError

# "match" only steers traffic shaping: such a rule decides nothing here.
ACTIONS = ("pass", "block", "reject", "match")
OUTBOUND_MODES = ("automatic", "hybrid", "advanced", "disabled")


def read_aliases(root: Node, notes: list[str]) -> tuple[Alias, ...]:
    section = root.child("aliases")
    found = []
    for node in section.children("alias") if section else []:
        alias = Alias(node.required("name"), node.text("type").lower(), tuple(node.text("address").split()))
        if alias.kind not in ("host", "network", "port"):
            notes.append(f"{node.path}/type: {alias.kind} is not offered; the alias is empty")
        found.append(alias)
    return tuple(found)


def read_rules(root: Node) -> tuple[Rule, ...]:
    section = root.child("filter")
    return tuple(_rule(node) for node in section.children("rule")) if section else ()


def _rule(node: Node) -> Rule:
    # An empty type counts as pass: filter_generate_user_rule() falls through to it.
    action = node.text("type").lower() or "pass"
    if action not in ACTIONS:
        raise SettingsError(f"{node.path}/type", f"expected pass, block or reject, found {action!r}")
    floating = node.has("floating")
    return Rule(
        action=action,
        interfaces=tuple(each for each in node.text("interface").replace(" ", "").split(",") if each),
        ipprotocol=node.text("ipprotocol").lower() or "inet",
        protocol=node.text("protocol").lower(),
        source=_endpoint(node, "source"),
        destination=_endpoint(node, "destination"),
        descr=node.text("descr"),
        tracker=node.text("tracker"),
        disabled=node.has("disabled"),
        log=node.has("log"),
        floating=floating,
        quick=not floating or node.text("quick") == "yes",
        direction=(node.text("direction").lower() or "any") if floating else "in",
        icmptypes=tuple(each for each in node.text("icmptype").split(",") if each and each != "any"),
        any_flags=node.has("tcpflags_any"),
        stateless=node.text("statetype").lower() == "none",
        gateway=node.text("gateway"),
    )


def _endpoint(node: Node, tag: str) -> Endpoint:
    side = node.child(tag)
    if side is None:
        return Endpoint()
    network, address = side.text("network"), side.text("address")
    if network and address:
        raise SettingsError(side.path, "holds both <network> and <address>; expected one")
    return Endpoint(network, address, side.text("port"), side.has("not"))


def read_outbound(root: Node) -> OutboundNat:
    nat = root.child("nat")
    section = nat.child("outbound") if nat else None
    if section is None:
        return OutboundNat()
    mode = section.text("mode").lower() or "automatic"
    if mode not in OUTBOUND_MODES:
        raise SettingsError(f"{section.path}/mode", f"expected one of {', '.join(OUTBOUND_MODES)}, found {mode!r}")
    return OutboundNat(mode, tuple(_outbound_rule(node) for node in section.children("rule")))


def _outbound_rule(node: Node) -> OutboundRule:
    source = node.child("source")
    target = node.text("target")
    if target == "other-subnet":
        target = f"{node.required('targetip')}/{node.text('targetip_subnet') or '32'}"
    destination = _endpoint(node, "destination")
    return OutboundRule(
        interface=node.required("interface"),
        protocol=node.text("protocol").lower(),
        source=(source.text("network") if source else "") or "any",
        source_negated=bool(source and source.has("not")),
        source_port=node.text("sourceport"),
        # The port of an outbound rule's destination stands beside it, not in it.
        destination=Endpoint(
            destination.network, destination.address, node.text("dstport") or destination.port, destination.negated
        ),
        target=target,
        nat_port=node.text("natport"),
        static_port=node.has("staticnatport"),
        no_nat=node.has("nonat"),
        disabled=node.has("disabled"),
        descr=node.text("descr"),
    )


def read_forwards(root: Node) -> tuple[PortForward, ...]:
    nat = root.child("nat")
    return tuple(
        PortForward(
            interface=node.required("interface"),
            protocol=node.text("protocol").lower(),
            source=_endpoint(node, "source"),
            destination=_endpoint(node, "destination"),
            target=node.text("target"),
            local_port=node.text("local-port"),
            no_rdr=node.has("nordr"),
            disabled=node.has("disabled"),
            passes=node.text("associated-rule-id") == "pass",
            descr=node.text("descr"),
        )
        for node in (nat.children("rule") if nat else [])
    )
