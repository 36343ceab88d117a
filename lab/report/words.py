"""What a report says, as one table a language has to fill. Templates are whole sentences; nothing is put together from pieces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lab.render.diagram_svg import DrawingWords


@dataclass(frozen=True)
class Plural:
    """A sentence for one, and for several. {count} is the number."""

    one: str
    many: str


@dataclass(frozen=True)
class FaultWords:
    """title: a headline. done, undone: what was done, and how it was undone. {node}, {network}: where."""

    title: str
    done: str
    undone: str


@dataclass(frozen=True)
class Words:
    """One language. singular: the numbers that take the singular. decimal: the mark in 1.5. phrases: what the engine says in
    English -> the same in this language, both as templates with the same fields; empty for English."""

    code: str
    decimal: str
    singular: frozenset[int]
    months: tuple[str, ...]
    date: str
    list_last: str
    seconds: str
    milliseconds: str
    range: str
    span: str
    vhid: str
    colon: str

    # headings
    kicker: str
    account: str
    done: str
    happened: str
    clients: str
    judged: str
    drawing: str
    timeline: str
    figures: str
    hand_overs: str
    probes: str
    streams: str
    invariants: str
    records: str
    method: str
    files: str

    # the head of the page
    verdicts: Mapping[str, str]
    verdict_lines: Mapping[str, str]
    met: Plural
    facts_lab: str
    facts_stage: str
    facts_began: str
    facts_length: str
    facts_firewall: str
    facts_host: str
    firewalls: Mapping[str, str]
    accelerators: Mapping[str, str]
    host: str
    tile_take_over: str
    tile_outage: str
    tile_return: str
    tile_lost: str
    tile_law: str
    tile_of: str
    tile_none: str
    tile_broken: str
    tile_healed: str
    tile_of_looked: str

    # the account
    intro: Plural
    intro_invariants: Plural
    firewall_notes: Mapping[str, str]
    faults: Mapping[str, FaultWords]
    fault_other: FaultWords
    zero: str
    undone_after: str
    undone_itself: str
    teaches: str
    called: str
    moved: Plural
    returned: Plural
    stayed: Plural
    vanished: Plural
    causes: Mapping[str, str]
    back_causes: Mapping[str, str]
    law_says: str
    law_return: str
    no_split: str
    split: str
    split_allowed: str
    client: str
    asks: Mapping[str, str]
    lane_asks: Mapping[str, str]
    fates: Mapping[str, str]
    line_outage: Plural
    line_lost: Plural
    line_gone_on: str
    line_plain: str
    line_back: str
    line_problem: str
    stream_lines: Mapping[str, str]
    back_quiet: str
    all_met: str
    unmet: Plural
    explained: str
    nothing_to_explain: str
    stalled: str
    dropped: Plural
    invariants_hold: Plural
    invariants_broken: Plural
    invariants_healed: Plural
    invariant: str

    # charts
    charts: Mapping[str, str]
    chart_texts: Mapping[str, str]
    vhid_lane: str
    machine_lane: str
    axis: str
    legend: Mapping[str, str]
    fault_line: str
    undone_line: str
    no_series: str

    # tables
    hand_over_head: tuple[str, ...]
    probe_head: tuple[str, ...]
    stream_head: tuple[str, ...]
    invariant_head: tuple[str, ...]
    record_head: tuple[str, ...]
    phases: Mapping[str, str]
    stays: str
    moves: str
    endless: str
    no_answer: str
    nothing: str
    again_after: str
    as_law: str
    off_by: str
    fate_names: Mapping[str, str]
    stream_names: Mapping[str, str]
    looks: Mapping[str, str]
    yes: str
    no: str
    holds: str
    broken: str
    broken_wanted: str
    kinds: Mapping[str, str]
    kinds_shown: str
    steady: str
    advert: str
    advert_first: str
    advert_skew: str
    advert_repeated: str
    announcement: str
    unreadable: str

    # method and files
    method_texts: tuple[str, ...]
    cost: str
    files_texts: Mapping[str, str]
    decode_shark: str
    decode_wireshark: str
    made_by: str

    # the drawing
    drawing_words: DrawingWords

    phrases: Mapping[str, str]
