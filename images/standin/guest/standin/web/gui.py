"""The one page, "Status > CARP", and the login before it. What its two buttons do is pfSense's status_carp.php."""

from __future__ import annotations

from standin import apply, cluster, passwords, playback
from standin.places import Places
from standin.settings import Settings
from standin.web import page
from standin.web.http import Refusal, Request, Response
from standin.web.sessions import COOKIE, Sessions
from standin.xmlrpc.config_array import parse
from standin.xmlrpc.node import RealNode
from standin.xmlrpc.php import Array
from standin.xmlrpc.server import LOG_BAD_LOGIN

PAGE, LOGIN = "/status_carp.php", "/index.php"
PHP = "php-fpm"
COOKIE_HEADER = "Set-Cookie: {name}={word}; Path=/; Secure; HttpOnly; SameSite=Strict"
LOGGED_IN = "Successful login for user '{user}' from: {peer} (Local Database)"
FORM_WORD = "__csrf_magic"
PRIVILEGES = ("page-all", "page-status-carp")


class Gui:
    """places: of this node."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._sessions = Sessions(places.sessions)

    def answer(self, request: Request, address: str) -> Response:
        """Raises Refusal."""
        if request.method not in ("GET", "HEAD", "POST"):
            raise Refusal(405)
        if request.path not in ("/", LOGIN, PAGE):
            raise Refusal(404)
        word = request.cookie(COOKIE)
        if not self._sessions.user(word):
            return self._login(request, address)
        form = request.form() if request.method == "POST" else {}
        if form and not self._sessions.is_form_of(word, form.get(FORM_WORD, "")):
            raise Refusal(403)
        if "logout" in form:
            self._sessions.close(word)
            return _redirect("/")
        if request.path != PAGE:
            return _redirect(PAGE)
        return self._status(form, self._sessions.form_word(word))

    def _login(self, request: Request, address: str) -> Response:
        form = request.form() if request.method == "POST" else {}
        name = form.get("usernamefld", "")
        if not name:
            return Response(body=page.login(self._name(), ""))
        config = parse(self._places.config.read_bytes())
        node = RealNode(self._places, request.path, PHP)
        user = passwords.authenticate(config, name, form.get("passwordfld", ""))
        if user is None or not _may_see(config, user):
            node.log(LOG_BAD_LOGIN.format(user=name, peer=address))
            return Response(body=page.login(self._name(), page.BAD_LOGIN))
        node.log(LOGGED_IN.format(user=name, peer=address))
        word = self._sessions.open(name)
        return _redirect(PAGE, COOKIE_HEADER.format(name=COOKIE, word=word))

    def _status(self, form: dict[str, str], form_word: str) -> Response:
        try:
            said = self._act(form)
            body = page.status(apply.load(self._places), cluster.request({"do": "status"}), said, form_word)
        except cluster.ClusterError as refusal:
            body = page.failure(self._name(), str(refusal))
        return Response(body=body)

    def _act(self, form: dict[str, str]) -> str:
        """Do what the pressed button says; the message for the page."""
        settings = apply.load(self._places)
        on = bool(cluster.request({"do": "status"})["allow"])
        said = ""
        toggle = bool(form.get("disablecarp"))
        if form.get("carp_maintenancemode"):
            # It may be entered while CARP is off, and then switches it on.
            playback.set_maintenance(self._places, not settings.maintenance)
            said = page.LEAVING if settings.maintenance else page.ENTERING
        if toggle:
            said += self._toggle(settings, on)
        if form.get("resetdemotion"):
            cluster.set_sysctl("demotion", -int(cluster.request({"do": "status"})["demotion"]))
        return said

    def _toggle(self, settings: Settings, on: bool) -> str:
        if on:
            cluster.disable()
            return page.DISABLED.format(count=len(settings.vips))
        cluster.enable(self._places, apply.load(self._places))
        return page.ENABLED

    def _name(self) -> str:
        return apply.load(self._places).fqdn


def _may_see(config: Array, user: Array) -> bool:
    return passwords.may(config, user, PRIVILEGES)


def _redirect(place: str, *headers: str) -> Response:
    return Response(302, headers=(f"Location: {place}", *headers))
