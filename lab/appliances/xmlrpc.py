"""A firewall's XML-RPC, as pfSense 2.7.0 offers it at /xmlrpc.php: HTTPS, Basic authentication, a pinned certificate.

Encoding is the standard library's own: what the stand-in writes is read by somebody else's code.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import xmlrpc.client
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lab.errors import LabError

PATH = "/xmlrpc.php"
PREFIX = "pfsense."
ASKED_SECONDS = 900
"""What a firewall is told it may take for a restore: pfSense's own number."""

AUTHENTICATION, PRIVILEGE = -1, -2
"""Fault codes of a refused login (src/usr/local/www/xmlrpc.php)."""

FAULT = "{node} refused {method} over XML-RPC"
FAULT_SEEN = "fault {code}: {text}"
NO_ANSWER = "{node} did not answer {method} over XML-RPC"
NOT_OK = "HTTP {status} {reason}"
ANSWER = "an XML-RPC answer"
CURE_LOGIN = "the lab's own password is in {secrets}; sshguard on a real pfSense shuts out who guesses"
CURE_ALIVE = "`./inv lab.status` shows whether it runs; `./inv lab.log {node}` shows its console"

Section = Any
"""What one section of config.xml is over XML-RPC: dicts, lists and strings."""


class XmlRpcFault(LabError):
    """The firewall answered with a fault. code: pfSense's number."""

    def __init__(self, node: str, method: str, code: int, text: str, cure: str = "") -> None:
        self.code, self.text = code, text
        seen = FAULT_SEEN.format(code=code, text=text)
        super().__init__(FAULT.format(node=node, method=method), expected=ANSWER, seen=seen, cure=cure)


class XmlRpcRefusedError(XmlRpcFault):
    """Wrong user or password, or one without the privilege."""


class XmlRpcSilence(LabError):
    """No answer, or one that is no XML-RPC."""


@dataclass(frozen=True)
class Firmware:
    """What `host_firmware_version` tells."""

    version: str
    platform: str
    config_version: str


@dataclass(frozen=True)
class XmlRpc:
    """One firewall. dial: gives a connection to its port 443. trust: takes its certificate (DER), raises LabError.

    seconds: limit of one call, scaled to the machine's speed.
    """

    node: str
    dial: Callable[[], socket.socket]
    trust: Callable[[bytes], None]
    user: str
    password: str = field(repr=False)
    seconds: float = 60.0
    secrets: str = ""

    def host_firmware_version(self) -> Firmware:
        """The best question of all: it proves web interface, login and version. Raises LabError."""
        told = self.call("host_firmware_version", "", round(self.seconds))
        try:
            return Firmware(told["firmware"]["version"], told["platform"], told["config_version"])
        except (TypeError, KeyError) as error:
            raise XmlRpcSilence(
                NO_ANSWER.format(node=self.node, method="host_firmware_version"), expected=ANSWER, seen=repr(told)
            ) from error

    def backup_config_section(self, names: Iterable[str]) -> dict[str, Section]:
        """These sections, as far as they are there."""
        told = self.call("backup_config_section", list(names))
        return told if isinstance(told, dict) else {}

    def restore_config_section(self, sections: Mapping[str, Section]) -> None:
        """Replace or merge sections, as pfSense does, and obey them."""
        self.call("restore_config_section", dict(sections), ASKED_SECONDS)

    def merge_config_section(self, sections: Mapping[str, Section]) -> None:
        """Change what is there already; nothing is applied."""
        self.call("merge_config_section", dict(sections), ASKED_SECONDS)

    def interfaces_carp_configure(self) -> None:
        self.call("interfaces_carp_configure")

    def call(self, method: str, *params: Any) -> Any:
        """Raises XmlRpcFault, XmlRpcRefusedError, XmlRpcSilence; LabError where no connection comes about."""
        body = xmlrpc.client.dumps(params, PREFIX + method, encoding="utf-8").encode()
        answer = self._post(method, body)
        try:
            (value,), _ = xmlrpc.client.loads(answer)
        except xmlrpc.client.Fault as fault:
            raise self._fault(method, fault) from None
        except Exception as error:  # expat's and the unmarshaller's, whatever they are
            raise self._silence(method, f"{error}: {answer[:300]!r}") from error
        return value

    def _post(self, method: str, body: bytes) -> bytes:
        login = b64encode(f"{self.user}:{self.password}".encode()).decode()
        headers = {"Content-Type": "text/xml", "Authorization": f"Basic {login}", "Connection": "close"}
        with self.dial() as link:
            link.settimeout(self.seconds)
            try:
                with _unverified().wrap_socket(link) as stream:
                    self.trust(stream.getpeercert(binary_form=True) or b"")
                    talk = http.client.HTTPConnection(self.node)
                    talk.sock = stream
                    talk.request("POST", PATH, body, headers)
                    answer = talk.getresponse()
                    data = answer.read()
            except (OSError, http.client.HTTPException) as error:
                raise self._silence(method, str(error) or type(error).__name__) from error
        if answer.status != http.HTTPStatus.OK:
            raise self._silence(method, NOT_OK.format(status=answer.status, reason=answer.reason))
        return data

    def _fault(self, method: str, fault: xmlrpc.client.Fault) -> XmlRpcFault:
        if fault.faultCode in (AUTHENTICATION, PRIVILEGE):
            cure = CURE_LOGIN.format(secrets=self.secrets)
            return XmlRpcRefusedError(self.node, method, fault.faultCode, fault.faultString, cure)
        return XmlRpcFault(self.node, method, fault.faultCode, fault.faultString)

    def _silence(self, method: str, seen: str) -> XmlRpcSilence:
        return XmlRpcSilence(
            NO_ANSWER.format(node=self.node, method=method),
            expected=f"{ANSWER}, within {self.seconds:.0f} s",
            seen=seen,
            cure=CURE_ALIVE.format(node=self.node),
        )


def _unverified() -> ssl.SSLContext:
    """The certificate is compared with its pin: nobody signed it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
