"""Read, change, write: what was not changed stays byte for byte, whatever pfSense, a package or a person put there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from standin.config_store import change, install
from standin.places import Places
from standin.settings_xml import read
from standin.tree import set_flag

from lab.config.text import element_text, encode, value_of
from lab.config.tree import ConfigSyntaxError, parse
from lab.config.write import fresh, rewritten
from tests.golden_files import GOLDEN

GOOD = GOLDEN / "config" / "uranus" / "rules-master.xml"
FEW = settings(max_examples=60, derandomize=True, deadline=None)


@dataclass
class Piece:
    """An element as it will stand in the file: what comes before it, its start tag, and its inside or its children."""

    gap: str
    tag: str
    attributes: str
    inside: str
    children: list[Piece]
    last: str

    def __str__(self) -> str:
        body = "".join(map(str, self.children)) + self.last if self.children else self.inside
        if self.inside == "/":
            return f"{self.gap}<{self.tag}{self.attributes}/>"
        return f"{self.gap}<{self.tag}{self.attributes}>{body}</{self.tag}>"

    def leaves(self, path: tuple[int, ...] = ()) -> Iterator[tuple[tuple[int, ...], Piece]]:
        for number, child in enumerate(self.children):
            if child.children:
                yield from child.leaves((*path, number))
            else:
                yield (*path, number), child


VALUES = st.text(st.sampled_from("aZ09 é€&<>\"'☃;#]-"), max_size=12)
GAPS = st.sampled_from(["", "\n", "\n\t\t", "  ", "\r\n ", "\n<!-- kept > <b> -->\n\t", "<?php kept ?>"])
TAGS = st.sampled_from(["rule", "descr", "item", "x", "hostname", "password", "vip", "Odd-Tag", "a.b", "any"])
ATTRIBUTES = st.sampled_from(["", "", "", ' version="1>0"', " a='b' c=\"/\" "])
INSIDES = st.one_of(
    VALUES.map(lambda value: element_text("x", value)),
    VALUES.map(lambda value: f"<![CDATA[{encode(value)}]]>"),
    st.sampled_from(["", "/", "\n\t\t", "&#233;&amp;amp;", "<![CDATA[a]]> &lt; <![CDATA[]]>"]),
)
LEAVES = st.builds(Piece, GAPS, TAGS, ATTRIBUTES, INSIDES, st.just([]), st.just(""))
TREES = st.recursive(
    LEAVES,
    lambda inner: st.builds(Piece, GAPS, TAGS, ATTRIBUTES, st.just(""), st.lists(inner, min_size=1, max_size=4), GAPS),
    max_leaves=12,
)
FILES = st.builds(
    Piece, st.just(""), st.just("pfsense"), st.just(""), st.just(""), st.lists(TREES, min_size=1, max_size=4), GAPS
)


def text(root: Piece) -> str:
    return f'<?xml version="1.0"?>\n{root}\n<!-- after the end -->\n'


def at(root: Element, path: tuple[int, ...]) -> Element:
    for number in path:
        root = root[number]
    return root


@given(FILES)
@FEW
def test_without_a_change_every_byte_stays(root: Piece) -> None:
    data = text(root).encode()
    assert rewritten(parse(data)) == data


@given(FILES, VALUES, st.data())
@FEW
def test_a_changed_value_changes_its_element_alone(root: Piece, value: str, data: st.DataObject) -> None:
    document = parse(text(root).encode())
    path, piece = data.draw(st.sampled_from(list(root.leaves())))
    element = at(document.root, path)
    if value == element.text:
        return
    element.text = value
    piece.inside = element_text(piece.tag, value)
    found = rewritten(document).decode()
    if piece.attributes.endswith(" "):
        found, piece.attributes = found.replace(" >", ">"), piece.attributes.rstrip()
        assert found == text(root).replace(" >", ">")
    else:
        assert found == text(root)
    assert value_of(piece.inside) == at(parse(found.encode()).root, path).text


@given(FILES, st.data())
@FEW
def test_a_removed_element_takes_nothing_with_it(root: Piece, data: st.DataObject) -> None:
    document = parse(text(root).encode())
    number = data.draw(st.integers(0, len(root.children) - 1))
    document.root.remove(document.root[number])
    found = rewritten(document).decode()
    for other, child in enumerate(root.children):
        if other != number:
            assert str(child) in found
    assert found.count("<!--") + str(root.children[number]).removeprefix(root.children[number].gap).count(
        "<!--"
    ) == text(root).count("<!--")
    assert [each.tag for each in parse(found.encode()).root] == [each.tag for each in document.root]


@given(FILES, VALUES)
@FEW
def test_an_added_element_leaves_the_others_alone(root: Piece, value: str) -> None:
    document = parse(text(root).encode())
    entry = SubElement(SubElement(document.root, "added"), "descr")
    entry.text = value
    found = rewritten(document).decode()
    assert "".join(map(str, root.children)) in found
    again = parse(found.encode()).root[-1]
    assert again.tag == "added"
    assert again[0].text == value_of(element_text("descr", value))


def test_what_was_self_closing_can_get_a_value() -> None:
    document = parse(b'<?xml version="1.0"?>\n<pfsense><wol/><a/></pfsense>')
    document.root[0].text = "x"
    SubElement(document.root[1], "b")
    assert rewritten(document) == b'<?xml version="1.0"?>\n<pfsense><wol>x</wol><a>\n\t\t<b></b>\n\t</a></pfsense>'


def test_pfsense_s_own_layout_comes_out_of_a_tree_alone() -> None:
    for path in sorted((GOLDEN / "config").rglob("*.xml")):
        data = path.read_bytes()
        assert fresh(parse(data).root).encode() == data


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("a &amp;amp; b", "a &amp; b"),
        ("<![CDATA[a &amp;amp; b]]>", "a &amp; b"),
        ("z&amp;lt;", "z&lt;"),
        ("<![CDATA[z&lt;]]>", "z<"),
        ("\n\tone\n two \n", "one\n two "),
        ("caf<![CDATA[&eacute;]]>&#233;", "caféé"),
        ("<![CDATA[&apos;&#39;&copy &lang;]]>", "&apos;'&copy \N{LEFT-POINTING ANGLE BRACKET}"),
        ("a\r\nb", "ab"),
        ("<![CDATA[a\r\nb]]>", "a\r\nb"),
        ("   ", ""),
        ("x<!-- no -->y", "xy"),
    ],
)
def test_values_are_what_pfsense_s_reader_gets(raw: str, value: str) -> None:
    """Each was given to pfSense 2.7.0's own parse_xml_config()."""
    assert value_of(raw) == value


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (b"<pfsense>\n<a>\n</pfsense>", 3),
        (b"<pfsense>&nbsp;</pfsense>", 1),
        (b"<!DOCTYPE a []>\n<pfsense/>", 1),
        (b"\n<m0n0wall/>", 2),
    ],
)
def test_what_pfsense_could_not_read_is_refused(data: bytes, line: int) -> None:
    with pytest.raises(ConfigSyntaxError) as caught:
        parse(data)
    assert caught.value.line == line


def test_the_stand_in_changes_one_tag_of_a_strange_file_and_nothing_else(tmp_path: Path) -> None:
    """Unknown sections, a comment, odd spacing and entities survive its write_config(); only the tag and the revision are new."""
    strange = "\n <!-- mine -->\n<installedpackages><x  a='1'>&amp;amp;<![CDATA[&eacute;]]></x>\r\n</installedpackages>"
    data = GOOD.read_text().replace("\t<wol></wol>", strange).encode()
    places = Places(tmp_path)
    install(places, data)
    change(places, lambda root: set_flag(root, "virtualip_carp_maintenancemode", True), "Enter CARP maintenance mode")
    found = places.config.read_bytes()
    start = data.index(b"\t<revision>")
    assert found.startswith(data[:start])
    assert b"Enter CARP maintenance mode" in found[start:]
    assert found.endswith(b"\t<virtualip_carp_maintenancemode></virtualip_carp_maintenancemode>\n</pfsense>\n")
    assert read(found).maintenance
