"""A second, small CARP host, written from the tables of the reference sheet alone: what the engine is compared with.

It shares no code with lab.carp and knows nothing of packets. It speaks the recorded cases' vocabulary and tells, per
event, the lines the comparison looks at.
"""

from __future__ import annotations

from typing import Any

Line = dict[str, Any]
TIMERS = {"ad": "sc_ad_tmo", "md": "sc_md_tmo", "md6": "sc_md6_tmo"}


def micro(base: int, skew: int) -> int:
    return base * 1_000_000 + skew * 1_000_000 // 256


def c_int(value: int) -> int:
    value &= 0xFFFFFFFF
    return value - (1 << 32) if value >> 31 else value


class Sheet:
    """One host. vhids: (interface, number) -> a plain dict, oldest first."""

    def __init__(self) -> None:
        self.now = self.order = self.demotion = 0
        self.sysctl = {"allow": 1, "preempt": 0, "senderr_demotion_factor": 240, "ifdown_demotion_factor": 240}
        self.interfaces: dict[str, Line] = {}
        self.vhids: dict[tuple[str, int], Line] = {}
        self.forced = False
        self.out: list[Line] = []

    def feed(self, event: Line) -> list[Line]:
        """The compared lines of one event, time up to it included."""
        end = round(event["t"] * 1_000_000)
        while due := sorted((v[t], v, t) for v in self.vhids.values() for t in TIMERS if v[t])[:1]:
            (when, _), v, timer = due[0]
            if when > end:
                break
            self.now = end if event.get("jump") else when
            v[timer] = None
            if timer == "ad":
                self.advertise(v)
            elif v["state"] == "BACKUP":
                self.become_master(v)
            self.settle()
        self.now = end
        getattr(self, "on_" + event["ev"])(event)
        self.settle()
        lines, self.out = self.out, []
        return lines

    def effective(self, v: Line) -> int:
        return max(0, min(240, c_int(v["s"] + self.demotion)))

    def settle(self) -> None:
        while self.forced:
            self.forced = False
            for v in reversed(self.vhids.values()):
                if v["state"] == "MASTER":
                    self.advertise(v)

    # -- effects

    def say(self, out: str, v: Line, **fields: Any) -> None:
        self.out.append({"out": out, "t": self.now / 1_000_000, **fields})

    def state(self, v: Line, state: str) -> None:
        if v["state"] != state:
            v["state"] = state
            self.say("devd", v, subsystem=f"{v['id']}@{v['if']}", type=state)

    def timer(self, v: Line, timer: str, after: int | None) -> None:
        if after is None and v[timer] is None:
            return
        self.order += 1
        v[timer] = None if after is None else (self.now + after, self.order)
        at = None if after is None else (self.now + after) / 1_000_000
        self.say("timer", v, **{"if": v["if"]}, vhid=v["id"], name=TIMERS[timer], at=at)

    def demote(self, by: int) -> None:
        self.demotion = c_int(self.demotion + by)
        self.forced = True

    def families(self, v: Line) -> list[int]:
        return [f for f in (4, 6) if any((":" in a) == (f == 6) for a in v["addrs"])]

    def advertise(self, v: Line) -> None:
        e = self.effective(v)
        for af in self.families(v):
            if v["counter"] is not None:
                v["counter"] = (v["counter"] + 1) % 2**64
            fields = {"vhid": v["id"], "advbase": v["b"], "advskew": e, "counter": v["counter"]}
            self.say("tx", v, **{"if": v["if"]}, af=af, **fields)
            self.account(v, self.interfaces[v["if"]]["err"])
        self.timer(v, "ad", micro(v["b"], e))

    def account(self, v: Line, error: int) -> None:
        if error:
            v["errors"], v["good"] = v["errors"] + 1, 0
            if v["errors"] == 3:
                self.demote(self.sysctl["senderr_demotion_factor"])
        elif v["errors"]:
            v["good"] += 1
            if v["good"] >= 3:
                if v["errors"] >= 3:
                    self.demote(-self.sysctl["senderr_demotion_factor"])
                v["errors"] = 0

    def become_master(self, v: Line) -> None:
        self.state(v, "MASTER")
        self.advertise(v)
        for a in v["addrs"]:
            if ":" not in a:
                self.say("garp", v, **{"if": v["if"]}, addr=a, sha=f"00:00:5e:00:01:{v['id']:02x}")
        for a in v["addrs"]:
            if ":" in a:
                self.say("na", v, **{"if": v["if"]}, addr=a)
        self.timer(v, "ad", micro(v["b"], v["s"]))

    def become_backup(self, v: Line) -> None:
        self.timer(v, "ad", None)
        self.state(v, "BACKUP")
        self.await_master(v, *self.families(v))

    def await_master(self, v: Line, *families: int) -> None:
        for af in families:
            self.timer(v, "md" if af == 4 else "md6", micro(3 * v["b"], v["s"]))

    def sc_state(self, v: Line) -> None:
        interface = self.interfaces[v["if"]]
        factor = self.sysctl["ifdown_demotion_factor"]
        if interface["up"] and interface["link"] == 2 and self.sysctl["allow"]:
            self.state(v, "INIT")
            if v["addrs"]:
                self.state(v, "BACKUP")
                self.timer(v, "ad", None)
                self.await_master(v, *self.families(v))
            if v["suppressed"]:
                self.demote(-factor)
            v["suppressed"] = False
        else:
            for timer in TIMERS:
                self.timer(v, timer, None)
            self.state(v, "INIT")
            if not v["suppressed"]:
                self.demote(factor)
            v["suppressed"] = True

    # -- events

    def on_run(self, event: Line) -> None:
        pass

    def on_ifnew(self, event: Line) -> None:
        self.interfaces[event["if"]] = {"up": True, "link": 2, "err": 0}

    def on_link(self, event: Line) -> None:
        self.interfaces[event["if"]]["link"] = event["state"]
        self.all_of(event["if"])

    def on_ifup(self, event: Line) -> None:
        self.interfaces[event["if"]]["up"] = event["ev"] == "ifup"
        self.all_of(event["if"])

    on_ifdown = on_ifup

    def all_of(self, interface: str) -> None:
        for v in [v for v in self.vhids.values() if v["if"] == interface]:
            self.sc_state(v)

    def on_senderr(self, event: Line) -> None:
        self.interfaces[event["if"]]["err"] = event["err"]

    def on_demote(self, event: Line) -> None:
        self.demote(event["by"])

    def on_sysctl(self, event: Line) -> None:
        name, value = event["name"], event["value"]
        if name == "demotion":
            self.demote(value)
        elif self.sysctl[name] != value:
            self.sysctl[name] = value
            for v in [*reversed(self.vhids.values())] if name == "allow" else []:
                self.sc_state(v)

    def on_vhid(self, event: Line) -> None:
        key = (event["if"], event["vhid"])
        fresh = {"if": key[0], "id": key[1], "b": 1, "s": 0, "state": "INIT", "addrs": [], "counter": None}
        fresh |= {"ad": None, "md": None, "md6": None, "suppressed": False, "errors": 0, "good": 0}
        v = self.vhids.setdefault(key, fresh)
        v["b"] = event.get("advbase") or v["b"]
        v["s"] = event.get("advskew", v["s"])
        wanted = event.get("state")
        if (v["state"], wanted) == ("MASTER", "BACKUP"):
            self.become_backup(v)
        elif (v["state"], wanted) == ("BACKUP", "MASTER"):
            self.become_master(v)

    def on_addr(self, event: Line) -> None:
        if not event.get("vhid"):
            return
        self.on_deladdr({**event, "keep": 1})
        v = self.vhids.get((event["if"], event["vhid"]))
        if v:
            v["addrs"].append(event["addr"])
            self.sc_state(v)

    def on_deladdr(self, event: Line) -> None:
        for key, v in [*self.vhids.items()]:
            if v["if"] != event["if"] or event["addr"] not in v["addrs"]:
                continue
            v["addrs"].remove(event["addr"])
            self.sc_state(v)
            if not v["addrs"] and not event.get("keep"):
                if v["suppressed"]:
                    self.demote(-self.sysctl["ifdown_demotion_factor"])
                for timer in TIMERS:
                    self.timer(v, timer, None)
                del self.vhids[key]

    def on_rxad(self, event: Line) -> None:
        v = self.vhids.get((event["if"], event["vhid"]))
        af = event.get("af", 4)
        spoilt = event.get("badmac") or event.get("badsum") or event.get("ver", 2) != 2
        far = af == 6 and event.get("ttl", 255) != 255
        if not self.sysctl["allow"] or v is None or af not in self.families(v) or spoilt or far:
            return
        v["counter"] = event["counter"]
        own, peer = (v["b"], self.effective(v)), (event["advbase"], event["advskew"])
        if v["state"] == "MASTER" and not peer > own:
            self.become_backup(v)
        elif v["state"] == "BACKUP":
            if peer > (3 * own[0], own[1]) or (self.sysctl["preempt"] and peer > own):
                self.become_master(v)
            else:
                self.await_master(v, af)
