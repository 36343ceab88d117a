"""The master's part of configuration sync: ask the other node's version, then send it the sections. It logs as pfSense logs.

After src/etc/rc.filter_synchronize and src/etc/inc/xmlrpc_client.inc of 2.7.0.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lab.console.catalogue.text import Product
from standin.xmlrpc.codec import DecodeError, Fault, decode_response, encode_call
from standin.xmlrpc.php import Array, Value, array_at, text_at
from standin.xmlrpc.sections import to_send, wanted

ATTEMPTS, PAUSE = 4, 1.0
"""How often a call is tried, and seconds between two tries."""
TIMEOUT, RESTORE_TIMEOUT = 240, 900
"""What the other node is told it may take, seconds."""

BEGIN = "Beginning XMLRPC sync data to {url}."
SUCCESS = "XMLRPC reload data success with {url} (pfsense.{method})."
RETRY = "Retrying XMLRPC Request due to error: {error}"
FAULT = "Exception calling XMLRPC method {method} #{code} : {text}"
NO_CONNECTION = "A communications error occurred while attempting to call XMLRPC method {method}: {reason}"
OTHER = "Exception calling XMLRPC method {method} # {reason}"
VERSIONS = "XMLRPC versioncheck: {theirs} -- {ours}"
NO_VERSION = (
    "The {product} software configuration version of the other member could not be determined. "
    "Skipping synchronization to avoid causing a problem!"
)
OTHER_VERSION = (
    "The other member is on a different configuration version of {product}. Sync will not be done to prevent problems!"
)
NOTHING = "Nothing has been configured to be synched. Skipping...."
NEW_PASSWORD = "Update XMLRPC sync password."


class NoConnectionError(OSError):
    """The other node could not be reached; the text says how."""


class NotXmlRpcError(Exception):
    """The other node answered something else; the text says what."""


@dataclass(frozen=True)
class Peer:
    """Where to send, and as whom. url: without user and password."""

    tls: bool
    host: str
    port: int
    user: str
    password: str

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://{self.host}:{self.port}/xmlrpc.php"


def peer_of(config: Array) -> Peer | None:
    """By `<hasync>` and this node's own web interface: port and protocol must be the same on both. None: no sync."""
    hasync, webgui = array_at(config, "hasync"), array_at(config, "system", "webgui")
    host = text_at(hasync, "synchronizetoip")
    if not host:
        return None
    protocol = text_at(webgui, "protocol")
    port = text_at(webgui, "port") or ("80" if protocol == "http" else "443")
    user = text_at(hasync, "username") or "admin"
    return Peer(port == "443" or protocol == "https", host, int(port), user, text_at(hasync, "password"))


@dataclass(frozen=True)
class Sync:
    """One run. post: sends a body to the peer, returns the answer's; raises NoConnectionError, NotXmlRpcError."""

    product: Product
    post: Callable[[Peer, bytes], bytes]
    log: Callable[[str], None]
    sleep: Callable[[float], None]
    store: Callable[[Array, str], None]

    def run(self, config: Array) -> bool:
        """True when the other node has taken the sections, or there is nothing to do."""
        peer = peer_of(config)
        if peer is None:
            return True
        if not wanted(config):
            self.log(NOTHING)
            return True
        if not self._same_version(peer, text_at(config, "version")):
            return False
        if self._call(peer, "restore_config_section", to_send(config), RESTORE_TIMEOUT) is None:
            return False
        if new := text_at(config, "hasync", "new_password"):
            hasync = {key: value for key, value in array_at(config, "hasync").items() if key != "new_password"}
            self.store({**config, "hasync": {**hasync, "password": new}}, NEW_PASSWORD)
        return True

    def _same_version(self, peer: Peer, ours: str) -> bool:
        answer = self._call(peer, "host_firmware_version", "", TIMEOUT)
        theirs = text_at(answer, "config_version")
        self.log(VERSIONS.format(theirs=theirs, ours=ours))
        if not theirs:
            self.log(NO_VERSION.format(product=self.product.name))
        elif theirs != ours:
            self.log(OTHER_VERSION.format(product=self.product.name))
        return theirs == ours and bool(theirs)

    def _call(self, peer: Peer, method: str, parameter: Value, timeout: int) -> Value | None:
        """None when every attempt failed."""
        body = encode_call(f"pfsense.{method}", [parameter, timeout])
        for attempt in range(1, ATTEMPTS + 1):
            self.log(BEGIN.format(url=peer.url))
            try:
                answer = decode_response(self.post(peer, body))
            except Fault as fault:
                error = FAULT.format(method=method, code=fault.code, text=fault.text)
                self.log(error)
            except NoConnectionError as refusal:
                error = NO_CONNECTION.format(method=method, reason=refusal)
            except (NotXmlRpcError, DecodeError) as refusal:
                error = OTHER.format(method=method, reason=refusal)
            else:
                self.log(SUCCESS.format(url=peer.url, method=method))
                return answer
            if attempt < ATTEMPTS:
                self.log(RETRY.format(error=error))
                self.sleep(PAUSE)
            else:
                self.log(error)
        return None
