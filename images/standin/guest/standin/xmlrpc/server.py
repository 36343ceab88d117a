"""The methods of xmlrpc.php: signatures, authentication, faults, and what each does. No sockets, no files: see `Node`.

The order of refusals is pfSense's: body, method, parameters, login, sync loop.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, cast

from lab.console.catalogue.text import Product
from standin import passwords
from standin.xmlrpc import merge
from standin.xmlrpc.codec import Fault, decode_call, encode_fault, encode_response
from standin.xmlrpc.php import Array, Value, array_at, text_at

PREFIX = "pfsense."
SCRIPT = "/xmlrpc.php"

NO_METHOD = (-32601, "server error. requested method not found")
BAD_PARAMETERS = (-32602, "server error. invalid method parameters")
BAD_LOGIN = (-1, "Authentication failed: Invalid username or password")
NO_PRIVILEGE = (-2, "Authentication failed: not enough privileges")
NO_PHP = (1, "{product} has no PHP: nothing was executed")
NO_SHELL = (1, "{product} takes no shell commands over XML-RPC: nothing was executed")
NO_PORTAL = (1, "{product} has no captive portal: nothing was done")

LOG_BAD_LOGIN = "webConfigurator authentication error for user '{user}' from: {peer}"
LOG_NO_PRIVILEGE = "webConfigurator authentication error for '{user}' from {peer} not enough privileges"
LOG_LOOP = "Disallowing CARP sync loop"

KNOWN_PHP = ("$toreturn = get_carp_status();",)
"""What is answered as pfSense answers it: an exec_php() that gives something false gives true all the same."""


class Node(Protocol):
    """The firewall behind the methods. A test answers in its place."""

    def config(self) -> Array: ...

    def store(self, config: Array, description: str, user: str) -> None:
        """pfSense's write_config()."""

    def obey(self, virtual_ips: bool) -> None:
        """Filter, routes; VIPs as well where they were sent, leaving alone those that are as they were."""

    def configure_virtual_ips(self) -> None: ...

    def reboot(self) -> None: ...

    def kernel(self) -> str: ...

    def log(self, message: str) -> None: ...


@dataclass(frozen=True)
class Caller:
    """Who calls: the address, and what Basic authentication gave."""

    address: str
    user: str = ""
    password: str = ""


class Server:
    """One call, answered. The lock that lets one call in at a time is the transport's."""

    def __init__(self, node: Node, caller: Caller, product: Product) -> None:
        self._node, self._caller, self._product = node, caller, product
        self._config: Array = {}

    def answer(self, body: bytes) -> bytes:
        try:
            name, params = decode_call(body)
            method = METHODS.get(name.removeprefix(PREFIX)) if name.startswith(PREFIX) else None
            if method is None:
                raise Fault(*NO_METHOD)
            if not method.accepts(params):
                raise Fault(*BAD_PARAMETERS)
            self._config = self._node.config()
            self._authenticate()
            return encode_response(method.act(self, params))
        except Fault as fault:
            return encode_fault(fault)

    def _authenticate(self) -> None:
        caller = self._caller
        user = passwords.authenticate(self._config, caller.user, caller.password)
        if user is None:
            self._node.log(LOG_BAD_LOGIN.format(user=caller.user, peer=caller.address))
            raise Fault(*BAD_LOGIN)
        if not passwords.may_sync(self._config, user):
            self._node.log(LOG_NO_PRIVILEGE.format(user=caller.user, peer=caller.address))
            raise Fault(*NO_PRIVILEGE)

    def _loop(self) -> bool:
        """Whether we ourselves synchronise to the caller: then nothing is done, and the caller is told that all is well."""
        looped = (
            bool(self._caller.address) and text_at(self._config, "hasync", "synchronizetoip") == self._caller.address
        )
        if looped:
            self._node.log(LOG_LOOP)
        return looped

    def _store(self, config: Array, description: str) -> None:
        self._node.store(config, description, f"@{self._caller.address}")

    def host_firmware_version(self, _: list[Value]) -> Value:
        kernel: Array = {"version": self._node.kernel()}
        return {
            "firmware": {"version": self._product.version},
            "kernel": kernel,
            "base": dict(kernel),
            "platform": self._product.name,
            "config_version": text_at(self._config, "version"),
        }

    def exec_php(self, params: list[Value]) -> Value:
        if params[0] not in KNOWN_PHP:
            raise self._fault(NO_PHP)
        return True

    def exec_shell(self, _: list[Value]) -> Value:
        raise self._fault(NO_SHELL)

    def _fault(self, known: tuple[int, str]) -> Fault:
        return Fault(known[0], known[1].format(product=self._product.name))

    def backup_config_section(self, params: list[Value]) -> Value:
        names = [str(each) for each in cast(Array, params[0]).values()]
        return {key: value for key, value in self._config.items() if key in names}

    def restore_config_section(self, params: list[Value]) -> Value:
        if self._loop():
            return True
        restored = merge.restore(self._config, cast(Array, params[0]))
        self._store(restored.config, restored.description)
        if restored.accounts is not None:
            for said in restored.said:
                self._node.log(said)
            self._store(restored.accounts, merge.ACCOUNTS)
        self._node.obey(restored.virtual_ips)
        return True

    def merge_installedpackages_section(self, params: list[Value]) -> Value:
        section = cast(Array, params[0])
        if self._loop():
            return True
        packages = {**array_at(self._config, "installedpackages"), **section}
        self._store({**self._config, "installedpackages": packages}, _merged(section))
        return True

    def merge_config_section(self, params: list[Value]) -> Value:
        section = cast(Array, params[0])
        if self._loop():
            return True
        self._store(merge.overlay(self._config, section), _merged(section))
        return True

    def captive_portal_sync(self, params: list[Value]) -> Value:
        zone = text_at(params[0], "zone")
        if not text_at(params[0], "op") or not array_at(self._config, "captiveportal", zone):
            return False
        raise self._fault(NO_PORTAL)

    def interfaces_carp_configure(self, _: list[Value]) -> Value:
        if not self._loop():
            self._node.configure_virtual_ips()
        return True

    def reboot(self, _: list[Value]) -> Value:
        self._node.reboot()
        return True


def _merged(section: Array) -> str:
    return merge.MERGED.format(sections=", ".join(map(str, section)))


@dataclass(frozen=True)
class Method:
    """takes: the types of the parameters it must get; more are tolerated. `None` is any type."""

    takes: tuple[type | None, ...]
    act: Callable[[Server, list[Value]], Value]

    def accepts(self, params: list[Value]) -> bool:
        return len(params) >= len(self.takes) and all(
            kind is None or isinstance(given, kind) for kind, given in zip(self.takes, params, strict=False)
        )


METHODS = {
    "host_firmware_version": Method((None, None), Server.host_firmware_version),
    "exec_php": Method((str,), Server.exec_php),
    "exec_shell": Method((str,), Server.exec_shell),
    "backup_config_section": Method((dict,), Server.backup_config_section),
    "restore_config_section": Method((dict, None), Server.restore_config_section),
    "merge_installedpackages_section": Method((dict, None), Server.merge_installedpackages_section),
    "merge_config_section": Method((dict, None), Server.merge_config_section),
    "captive_portal_sync": Method((dict, None), Server.captive_portal_sync),
    "interfaces_carp_configure": Method((), Server.interfaces_carp_configure),
    "reboot": Method((), Server.reboot),
}
