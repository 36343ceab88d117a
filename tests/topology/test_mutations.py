"""Whatever is done to a valid file: a valid topology, or an error with file and line. Never anything else."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from lab.render.everything import render_everything
from lab.topology.findings import Finding, TopologyError
from lab.topology.lint import lint
from lab.topology.load import parse_source
from lab.topology.plan import make_plan
from tests.render.plans import TOPOLOGIES
from tests.render.test_everything import rendering

TEXTS = [path.read_text() for path in sorted(TOPOLOGIES.glob("*.yaml"))]
WORDS = sorted({word for text in TEXTS for word in text.replace(",", " ").replace(":", " ").split()})
# What trips parsers, numbers at the edges, and words of other places in the file.
TRAPS = """
--- ... <<: ? !!int !!binary &a *a ~ null 0 -1 256 1e9 0x1f 1_0 1.5 nan yes true '' :: [[[[ {{{{ {a: [b]} [{c: d}] 0.0.0.0/0
255.255.255.255 172.17.1.254 10.0.0.0/8 ::1 any firewall !any !lan aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
""".split()  # noqa: SIM905
PIECES: st.SearchStrategy[str] = st.sampled_from(
    [*"{}[]:,#&*!|>'\"%@`-?\t\n\0\x85\ufeff\u2028é", "<<: ", "? ", "&a ", "%YAML 9.9\n", "9" * 5000, *TRAPS, *WORDS]
)


@st.composite
def mutated(draw: st.DrawFn) -> str:
    text = draw(st.sampled_from(TEXTS))
    for _ in range(draw(st.integers(1, 4))):
        change: Callable[[st.DrawFn, str], str] = draw(st.sampled_from((_characters, _line, _value)))
        text = change(draw, text)
    return text


def _characters(draw: st.DrawFn, text: str) -> str:
    start = draw(st.integers(0, len(text)))
    end = min(len(text), start + draw(st.integers(0, 6)))
    return text[:start] + draw(st.one_of(st.just(""), PIECES, st.text(max_size=3))) + text[end:]


def _line(draw: st.DrawFn, text: str) -> str:
    lines = text.splitlines(keepends=True) or ["\n"]
    here, there = (draw(st.integers(0, len(lines) - 1)) for _ in range(2))
    match draw(st.sampled_from(("drop", "double", "move", "indent", "cut"))):
        case "drop":
            del lines[here]
        case "double":
            lines.insert(there, lines[here])
        case "move":
            lines.insert(there, lines.pop(here))
        case "indent":
            lines[here] = " " * draw(st.integers(1, 4)) + lines[here]
        case "cut":
            lines = lines[:here]
    return "".join(lines)


def _value(draw: st.DrawFn, text: str) -> str:
    old = draw(st.sampled_from(WORDS))
    places = [at for at in range(len(text)) if text.startswith(old, at)]
    if not places:
        return text
    at = draw(st.sampled_from(places))
    new: str = draw(PIECES)
    return text[:at] + new + text[at + len(old) :]


@given(mutated())
@example("[" * 5000)
@example("{a: " * 5000)
@example("a: &x [*x]")
@example("<<: {a: 1}\n? [1]\n: 2\n")
@example("a: !!python/object:os.system x\n")
@example("%YAML 9.9\n---\nname: x\n")
@example(TEXTS[0].replace("name: uranus-as-written", "name: !!int x"))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_changed_file_is_valid_or_explained(text: str) -> None:
    findings = _findings(text)
    for finding in findings:
        assert str(finding).startswith(f"changed.yaml:{finding.line}")
        assert 1 <= finding.line <= text.count("\n") + 2
        assert finding.summary


def _findings(text: str) -> tuple[Finding, ...]:
    try:
        topology, source = parse_source(text, "changed.yaml")
    except TopologyError as error:
        return error.findings or (NO_FINDING,)
    plan = make_plan(topology)
    lint(topology, source)
    render_everything(plan, rendering(plan))
    return ()


NO_FINDING = Finding("an error without a finding", 0, "", "")
