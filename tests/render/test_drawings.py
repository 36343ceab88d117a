"""Diagrams and address plan: golden files, and what must be on them."""

from __future__ import annotations

import re

import pytest
from lxml import etree

from lab.render.address_plan import address_plan, table
from lab.render.diagram import draw_text
from lab.render.diagram_svg import HEAD, MARGIN, WIDTH, draw_svg
from lab.topology.load import parse_topology
from lab.topology.plan import Plan, make_plan
from tests.golden_files import assert_golden
from tests.render.plans import TOPOLOGIES, plan

NAMES = ("uranus", "uranus-recommended")
README_PICTURE = TOPOLOGIES.parent / "docs" / "uranus.svg"
SVG = {"svg": "http://www.w3.org/2000/svg"}

CROWDED = """
name: crowded
title: A lab with more of everything
networks:
  uplink: {subnet: 10.0.0.0/16, role: wan, gateway: 10.0.255.254}
  link: {subnet: 10.9.0.0/30, role: sync}
  office: {subnet: 10.1.0.0/16}
firewalls:
  a: {hostname: a, advskew: 0, addresses: {uplink: 10.0.0.1, link: 10.9.0.1, office: 10.1.0.1}}
  north-wing-west: {hostname: b, advskew: 100, title: A title that is much too long for any box at all, \
addresses: {uplink: 10.0.0.2, link: 10.9.0.2, office: 10.1.0.2}}
carp:
  vips: [{network: office, address: 10.1.255.253, vhid: 250}, {network: office, address: 10.1.255.254, vhid: 251}]
sync: {network: link, xmlrpc: false}
machines:
  one: {network: office, address: 10.1.0.11}
  two: {network: office, address: 10.1.0.12}
  three: {network: office, address: 10.1.0.13}
  world: {network: uplink, address: 10.0.255.254, role: internet, public: 203.0.113.10}
"""


def crowded() -> Plan:
    return make_plan(parse_topology(CROWDED, "crowded.yaml"))


@pytest.mark.parametrize("name", NAMES)
def test_golden(name: str) -> None:
    assert_golden(f"diagram/{name}.txt", draw_text(plan(name)))
    assert_golden(f"diagram/{name}.svg", draw_svg(plan(name)))
    assert_golden(f"diagram/{name}.md", address_plan(plan(name)))


def test_golden_crowded() -> None:
    assert_golden("diagram/crowded.txt", draw_text(crowded()))
    assert_golden("diagram/crowded.svg", draw_svg(crowded()))


def test_the_picture_of_the_readme_is_the_current_one() -> None:
    assert README_PICTURE.read_text() == draw_svg(plan("uranus"))


@pytest.mark.parametrize(
    "which", [plan("uranus"), plan("uranus-recommended"), crowded()], ids=lambda which: which.topology.name
)
def test_every_address_and_name_is_on_every_picture(which: Plan) -> None:
    svg, markdown = draw_svg(which), address_plan(which)
    for machine in which.machines:
        for nic in machine.nics:
            assert str(nic.address.ip) in svg
            assert nic.mac in markdown
            assert str(nic.address) in markdown
        assert f">{machine.name}<" in svg
        assert machine.name in draw_text(which)
    for vip in which.vips:
        assert f"{vip.address.ip} · VHID {vip.vhid}" in svg
        assert str(vip.address) in markdown


def test_lines_of_the_text_drawing_meet() -> None:
    for which in (plan("uranus"), crowded()):
        lines = draw_text(which).splitlines()
        legs = [
            position
            for position, character in enumerate(next(line for line in lines if "┬" in line))
            if character == "┬"
        ]
        crossings = [line for line in lines if "╪" in line or "╧" in line]
        assert len(crossings) == len(which.topology.networks)
        for line in crossings:
            assert [position for position, character in enumerate(line) if character in "╪╧"] == legs
        assert all(line == line.rstrip() for line in lines)


def test_a_short_address_leaves_out_what_the_subnet_says() -> None:
    assert "three .0.13" in draw_text(crowded())
    assert "client .10" in draw_text(plan("uranus"))


def test_svg_is_well_formed_stays_inside_its_frame_and_has_both_grounds() -> None:
    for which in (plan("uranus"), crowded()):
        root = etree.fromstring(draw_svg(which).encode())
        height = float(str(root.get("height")))
        for rect in root.iterfind(".//svg:rect", SVG):
            x, y, wide, high = (float(str(rect.get(key))) for key in ("x", "y", "width", "height"))
            assert x >= 0
            assert x + wide <= WIDTH
            assert y >= 0
            assert y + high <= height
        for text in root.iterfind(".//svg:text", SVG):
            assert HEAD - MARGIN <= float(str(text.get("y"))) <= height
        style = root.findtext("svg:style", namespaces=SVG)
        assert style is not None
        light, dark = style.split("@media (prefers-color-scheme: dark)")
        classes = set(re.findall(r"\.([a-z-]+) \{ (?:fill|stroke)", light))
        assert classes == set(re.findall(r"\.([a-z-]+) \{", dark))


def test_table_escapes_what_would_break_it() -> None:
    assert table(("a",), [("x|y",)]).splitlines() == ["| a    |", "|------|", "| x\\|y |"]
