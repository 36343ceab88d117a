"""A run told in words: what was done, what the cluster did, what each machine saw, and whether that was to be expected."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from lab.expect.fault import UNDO_THEMSELVES
from lab.experiment.invariants import VHID
from lab.experiment.result import FailoverReport, HandOver, Look, OverlapSeen, ProbeResult, StreamResult
from lab.report.run import SavedRun
from lab.report.style import Style
from lab.report.words import FaultWords, Words


@dataclass(frozen=True)
class Group:
    """A sentence, and what it holds for."""

    lead: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Section:
    """paragraphs first, then what each machine saw, by machine, or `lines`, a plain list; then `after`."""

    title: str
    paragraphs: tuple[str, ...]
    machines: tuple[tuple[str, tuple[Group, ...]], ...] = ()
    lines: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


@dataclass(frozen=True)
class Account:
    """Tells one run in one language."""

    run: SavedRun
    style: Style

    @property
    def report(self) -> FailoverReport:
        return self.run.report

    @property
    def words(self) -> Words:
        return self.style.words

    def sections(self) -> tuple[Section, ...]:
        words = self.words
        return (
            Section(words.done, tuple(self._done())),
            Section(words.happened, tuple(self._happened())),
            *([Section(words.clients, (), clients)] if (clients := tuple(self._clients())) else []),
            self._judged(),
        )

    @property
    def headline(self) -> str:
        return self.fault("title")

    def fault(self, part: str) -> str:
        """title, done or undone of the fault that was done."""
        kind, *rest = self.report.fault.split()
        words = self.words.faults.get(kind)
        nodes = [word for word in rest if word in self.run.topology.firewalls]
        networks = [word for word in rest if word in self.run.topology.networks]
        found: FaultWords = words or self.words.fault_other
        template: str = getattr(found, part)
        return template.format(
            fault=self.report.fault, node=(nodes or [""])[0], network=(networks or [self.run.topology.lan])[0]
        )

    def ask(self, identity: str) -> str:
        """What a probe or stream does, from its id such as `client>web:tcp/80:fresh`."""
        return _asked(identity, self.words.asks)

    def lane(self, identity: str) -> str:
        """The same in two words."""
        return _asked(identity, self.words.lane_asks)

    # -- what was done

    def _done(self) -> Iterator[str]:
        report, style, words = self.report, self.style, self.words
        machines = list(dict.fromkeys(source(probe.id) for probe in report.probes))
        if report.probes:
            quiet = style.seconds(-report.baseline, 1)
            yield style.plural(
                words.intro,
                len(report.probes),
                date=style.date(report.began),
                topology=report.topology,
                stage=report.stage,
                machines=style.several(machines),
                quiet=quiet,
            )
        elif report.invariants:
            before = [one for one in report.invariants if one.look is Look.BEFORE]
            date = style.date(report.began)
            yield style.plural(
                words.intro_invariants, len(before), date=date, topology=report.topology, stage=report.stage
            )
        if note := words.firewall_notes.get(self.run.setting.firewall):
            yield note
        yield " ".join((self.fault("done"), words.zero))
        if report.fault.split()[0] in UNDO_THEMSELVES:
            yield words.undone_itself
        else:
            undone = style.seconds(report.undone_at, 1)
            yield words.undone_after.format(seconds=undone, undone=self.fault("undone"))
        if report.teaches:
            yield words.teaches.format(text=style.translate(report.teaches))
        if report.called:
            yield words.called.format(text=style.translate(report.called))

    # -- what the cluster did

    def _happened(self) -> Iterator[str]:
        for group in _alike(self.report.hand_overs):
            yield " ".join(self._group(group))
        yield from self._splits()
        yield from self._invariants()

    def _invariants(self) -> Iterator[str]:
        """What the fault was expected to break and broke, and whether all held afterwards."""
        words, style = self.words, self.style
        broken = [one for one in self.report.invariants if not one.holds and one.ok]
        if broken:
            names = [
                words.invariant.format(
                    name=style.translate(one.name), subject=style.translate(one.subject), seen=style.translate(one.seen)
                )
                for one in broken
            ]
            yield style.plural(words.invariants_broken, len(broken), names=style.several(names))
        elif self.report.invariants and all(one.ok for one in self.report.invariants):
            yield style.plural(words.invariants_hold, len(self.report.invariants))
        after = [one for one in self.report.invariants if one.look is Look.AFTER]
        if broken and after and all(one.holds for one in after):
            yield style.plural(words.invariants_healed, len(after))

    def _group(self, group: Sequence[HandOver]) -> Iterator[str]:
        """Hand-overs with the same phase, nodes and cause, as one."""
        first, words, style = group[0], self.words, self.style
        vhids = style.several([words.vhid.format(vhid=one.vhid, network=one.network) for one in group])
        times = [one.at for one in group if one.at is not None]
        at_fault = first.phase == "fault"
        if not times:
            form = words.vanished if at_fault and not first.expected else words.stayed
            yield style.plural(form, len(group), vhids=vhids, old=first.old)
            return
        span = style.span(min(times), max(times))
        form = words.moved if at_fault else words.returned
        yield style.plural(form, len(group), vhids=vhids, old=first.old, new=first.new, span=span)
        silences = [one.silence for one in group if one.silence is not None]
        patience = style.seconds(first.silence_law[1] if first.silence_law else 0.0)
        why = (words.causes if at_fault else words.back_causes).get(first.cause, "")
        if why and silences:
            yield why.format(patience=patience, silence=style.span(min(silences), max(silences)))
        if at_fault and first.law and first.law[1] > 0:
            yield words.law_says.format(law=style.span(*first.law))
        if (
            not at_fault
            and first.law is None
            and self.report.fault.split()[0] in ("kill", "halt", "reboot", "kill-both")
        ):
            yield words.law_return

    def _splits(self) -> Iterator[str]:
        if not self.report.overlaps and self.report.reigns:
            yield self.words.no_split
        for both in self.report.overlaps:
            template = self.words.split_allowed if both.allowed or self._wanted(both) else self.words.split
            yield template.format(
                vhid=both.vhid,
                network=both.network,
                nodes=self.style.several(both.nodes),
                milliseconds=self.style.milliseconds(both.milliseconds or 1000 * (both.end - both.start)),
            )

    def _wanted(self, both: OverlapSeen) -> bool:
        """Whether a mistake was expected to make two masters of this VHID."""
        subject = VHID.format(vhid=both.vhid, network=both.network)
        return any(one.subject == subject and not one.holds and one.ok for one in self.report.invariants)

    # -- what each machine saw

    def _clients(self) -> Iterator[tuple[str, tuple[Group, ...]]]:
        probes, streams = self.report.probes, self.report.streams
        for machine in dict.fromkeys(map(source, [*(one.id for one in probes), *(one.id for one in streams)])):
            lines: dict[str, list[str]] = {}
            for probe in probes:
                if source(probe.id) == machine:
                    lines.setdefault(self._lead(probe), []).append(self._probe(probe))
            for stream in streams:
                if source(stream.id) == machine:
                    lines.setdefault(self.words.fates["stream"], []).append(self._stream(stream))
            groups = tuple(Group(lead, tuple(found)) for lead, found in lines.items())
            yield self.words.client.format(machine=machine), groups

    def _lead(self, probe: ProbeResult) -> str:
        """What it has in common with other probes."""
        words, style = self.words, self.style
        if not probe.ok and not probe.off_time:
            return words.fates["unexpected"]
        template = words.fates.get(probe.fate, words.fates["unexpected"])
        law = style.range(*probe.law) if probe.law else words.nothing
        lead = template.format(reason=style.translate(probe.reason), law=law)
        quiet = probe.fate == "outage" and probe.back_outage is not None and not probe.back_lost
        return " ".join((lead, words.back_quiet)) if quiet else lead

    def _probe(self, probe: ProbeResult) -> str:
        words, style = self.words, self.style
        what, lost = self.ask(probe.id), style.whole(probe.lost)
        outage = style.seconds(probe.outage) if probe.outage is not None else words.endless
        if not probe.ok and not probe.off_time:
            return words.line_problem.format(what=what, problem=style.translate(probe.problem))
        if probe.resumed is not None:
            return words.line_gone_on.format(what=what, lost=lost, seconds=style.seconds(probe.resumed, 1))
        if probe.fate == "outage" and probe.back_lost and probe.back_outage is not None:
            back = style.seconds(probe.back_outage)
            return words.line_back.format(what=what, outage=outage, lost=lost, back=back)
        if probe.fate == "outage":
            return style.plural(words.line_outage, probe.lost, what=what, outage=outage)
        if probe.fate == "denied" or not probe.lost:
            return words.line_plain.format(what=what)
        return style.plural(words.line_lost, probe.lost, what=what)

    def _stream(self, stream: StreamResult) -> str:
        words, style = self.words, self.style
        key = stream.fate.value if stream.ok or stream.off_time else "unexpected"
        stall = style.seconds(stream.stall) if stream.stall is not None else words.endless
        what, problem, reason = self.ask(stream.id), style.translate(stream.problem), style.translate(stream.reason)
        return words.stream_lines[key].format(what=what, stall=stall, problem=problem, reason=reason)

    # -- was it as predicted

    def _judged(self) -> Section:
        report, words, style = self.report, self.words, self.style
        total, problems = expectations(report), tuple(self._problems())
        if problems:
            first = style.plural(words.unmet, len(problems), total=style.whole(total))
        else:
            first = words.all_met.format(count=style.whole(total))
        host = words.stalled.format(fault=style.milliseconds(1000 * report.stall_fault), total=self._total_stall())
        after = (self._worst(), " ".join((host, style.plural(words.dropped, report.dropped))))
        return Section(words.judged, (first,), lines=problems, after=after)

    def _problems(self) -> Iterator[str]:
        """Everything that was not as predicted: what it is about, then what is wrong."""
        words, translate = self.words, self.style.translate
        for move in self.report.hand_overs:
            if not move.ok:
                yield words.colon.format(what=self._hand_over_name(move), text=translate(move.problem))
        for identity, problem in [
            *((one.id, one.problem) for one in self.report.probes if not one.ok),
            *((one.id, one.problem) for one in self.report.streams if not one.ok),
        ]:
            yield words.colon.format(what=identity, text=translate(problem))
        for one in self.report.invariants:
            if not one.ok:
                fields = (translate(text) for text in (one.name, one.subject, one.seen))
                named = words.invariant.format(**dict(zip(("name", "subject", "seen"), fields, strict=True)))
                yield words.colon.format(what=words.looks[one.look.value], text=named)

    def _total_stall(self) -> str:
        return self.style.milliseconds(1000 * self.report.stall)

    def _worst(self) -> str:
        """The largest deviation that counts as explained."""
        found = [(one.miss, one.allowance, self._hand_over_name(one)) for one in self.report.hand_overs if one.ok]
        found += [(one.miss, one.allowance, self.ask(one.id)) for one in self.report.probes if one.ok]
        miss, allowance, what = max(found, key=lambda one: abs(one[0]), default=(0.0, 0.0, ""))
        if not miss:
            return self.words.nothing_to_explain
        seconds = self.style.seconds
        return self.words.explained.format(miss=seconds(miss, signed=True), what=what, allowance=seconds(allowance))

    def _hand_over_name(self, one: HandOver) -> str:
        return self.words.colon.format(
            what=self.words.phases.get(one.phase, one.phase),
            text=self.words.vhid_lane.format(vhid=one.vhid, network=one.network),
        )


def _asked(identity: str, words: Mapping[str, str]) -> str:
    path, _, flow = identity.rpartition(":")
    ends, _, service = path.partition(":")
    target = ends.partition(">")[2]
    protocol, _, port = service.partition("/")
    key = "gateway" if target == "gateway" and protocol == "icmp" else f"{protocol}:{flow}"
    return words.get(key, words["other"]).format(id=identity, target=target, port=port)


def source(identity: str) -> str:
    """The machine of a probe's or stream's id."""
    return identity.partition(">")[0]


def expectations(report: FailoverReport) -> int:
    """How many there were."""
    return len(report.hand_overs) + len(report.probes) + len(report.streams) + len(report.invariants)


def _alike(moves: Iterable[HandOver]) -> tuple[tuple[HandOver, ...], ...]:
    """Grouped by what a sentence can say of them at once; the fault before the return."""
    groups: dict[tuple[object, ...], list[HandOver]] = {}
    for move in sorted(moves, key=lambda one: (one.phase, one.vhid)):
        key = (move.phase, move.old, move.new, move.cause, move.at is None, move.silence_law, move.expected)
        groups.setdefault(key, []).append(move)
    return tuple(tuple(group) for group in groups.values())
