"""What the CARP daemon can be asked and told, as JSON objects; `do` names the request.

    {"do": "status"}                                        the whole state
    {"do": "configure", "vips": [CarpVip as dict, …]}       run exactly these VIPs
    {"do": "remove_vips"}                                   run none
    {"do": "sysctl", "name": "net.inet.carp.allow"}         its value
    {"do": "sysctl", "name": …, "value": 0}                 set it; demotion is added to
    {"do": "vhid", "nic": …, "vhid": …, "advskew"?, "advbase"?, "password"?, "state"?}   like ifconfig

Every answer is the state as it is afterwards, as for `status`, or {"error": text} when nothing was done.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from lab.carp.engine import VhidView
from lab.carp.events import Sysctl, VhidSet
from lab.carp.packet import address_text, password_key

from .carp_config import VipError, read_vip
from .carp_control import Answer, RefusedRequestError

if TYPE_CHECKING:
    from .carpd import Carpd

PREFIX = "net.inet.carp."
SYSCTLS = ("allow", "preempt", "log", "demotion", "ifdown_demotion_factor", "senderr_demotion_factor", "dscp")

UNKNOWN_REQUEST = "unknown request {do!r}; known: {known}"
UNKNOWN_SYSCTL = "unknown oid '{name}'"
UNKNOWN_VHID = "no VHID {vhid} on {nic}"
NOT_A_LIST = "vips: expected a list of objects"
NOT_A_NUMBER = "{field}: expected a number, saw {value!r}"
REFUSED = "refused: {reason}"


class CarpRequests:
    """Answers requests on behalf of one daemon."""

    def __init__(self, carpd: Carpd) -> None:
        self._carpd = carpd
        self._known: dict[str, Callable[[dict[str, Any]], None]] = {
            "status": lambda request: None,
            "configure": self._configure,
            "remove_vips": lambda request: carpd.configure([]),
            "sysctl": self._sysctl,
            "vhid": self._vhid,
        }

    def answer(self, request: dict[str, Any]) -> Answer:
        """Raises RefusedRequestError."""
        act = self._known.get(request.get("do", ""))
        if act is None:
            raise RefusedRequestError(UNKNOWN_REQUEST.format(do=request.get("do"), known=", ".join(self._known)))
        act(request)
        answer = self._status()
        if request["do"] == "sysctl":
            answer["value"] = answer["sysctls"][request["name"]]
        return answer

    def _status(self) -> Answer:
        host = self._carpd.host
        sysctls = {name: host.sysctl(name) for name in SYSCTLS}
        return {
            "allow": sysctls["allow"],
            "preempt": sysctls["preempt"],
            "demotion": sysctls["demotion"],
            "sysctls": {PREFIX + name: value for name, value in sysctls.items()},
            "vhids": [self._describe(vhid) for vhid in host.vhids()],
            "counters": host.statistics | {"echoes": self._carpd.echoes},
        }

    def _describe(self, vhid: VhidView) -> Answer:
        vips = self._carpd.vips.get((vhid.interface, vhid.vhid), [])
        prefixes = {vip.address: vip.prefix for vip in vips}
        return {
            "nic": vhid.interface,
            "vhid": vhid.vhid,
            "state": vhid.state,
            "advbase": vhid.advbase,
            "advskew": vhid.advskew,
            "effective_skew": vhid.effective_skew,
            "addresses": [f"{address_text(ip)}/{prefixes.get(ip, 32)}" for ip in vhid.addresses],
            "send_errors": vhid.send_errors,
            **(vips[0].about if vips else {}),
        }

    def _configure(self, request: dict[str, Any]) -> None:
        given = request.get("vips")
        if not isinstance(given, list) or not all(isinstance(vip, dict) for vip in given):
            raise RefusedRequestError(NOT_A_LIST)
        try:
            self._carpd.configure([read_vip(vip) for vip in given])
        except VipError as error:
            raise RefusedRequestError(str(error)) from None

    def _sysctl(self, request: dict[str, Any]) -> None:
        name = str(request.get("name", ""))
        short = name.removeprefix(PREFIX)
        if not name.startswith(PREFIX) or short not in SYSCTLS:
            raise RefusedRequestError(UNKNOWN_SYSCTL.format(name=name))
        if "value" in request:
            self._tell(Sysctl(short, _number(request, "value")))

    def _vhid(self, request: dict[str, Any]) -> None:
        nic, vhid = str(request.get("nic", "")), _number(request, "vhid")
        if self._carpd.host.vhid(nic, vhid) is None:
            raise RefusedRequestError(UNKNOWN_VHID.format(nic=nic, vhid=vhid))
        self._tell(
            VhidSet(
                nic,
                vhid,
                _number(request, "advbase") if "advbase" in request else 0,
                _number(request, "advskew") if "advskew" in request else None,
                password_key(str(request["password"])) if "password" in request else b"",
                str(request["state"]) if "state" in request else None,
            )
        )

    def _tell(self, event: Sysctl | VhidSet) -> None:
        if refusal := self._carpd.handle(event):
            raise RefusedRequestError(REFUSED.format(reason=os.strerror(refusal)))


def _number(request: dict[str, Any], field: str) -> int:
    value = request.get(field)
    if not isinstance(value, int):
        raise RefusedRequestError(NOT_A_NUMBER.format(field=field, value=value))
    return value
