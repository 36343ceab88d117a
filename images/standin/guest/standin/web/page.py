"""The page as text. Its labels and messages are those of pfSense's status_carp.php; its look is its own."""

from __future__ import annotations

from html import escape
from ipaddress import IPv4Interface
from typing import Any

from lab.console.catalogue.text import STANDIN
from standin.settings import Settings

TITLE = "Status: CARP"
HONEST = (
    "This is the {product}, not pfSense: a small firewall that stands in for it in this lab. "
    "Of pfSense's web interface it has this one page."
)
BAD_LOGIN = "Username or Password incorrect"
NO_VIPS = "No CARP interfaces have been defined."
DISABLE, ENABLE = "Temporarily Disable CARP", "Enable CARP"
ENTER, LEAVE = "Enter Persistent CARP Maintenance Mode", "Leave Persistent CARP Maintenance Mode"
RESET = "Reset CARP Demotion Status"
ENTERING = "Entering Persistent CARP Maintenance Mode."
LEAVING = "Leaving Persistent CARP Maintenance Mode."
DISABLED = (
    "{count} IPs have been disabled. Please note that disabling does not survive a reboot and some configuration changes "
    "will re-enable."
)
ENABLED = "CARP has been enabled."
DEMOTED = "CARP has detected a problem and this unit has a non-zero demotion status ({demotion})."
OFF = "DISABLED"
FAILURE = "CARP could not be asked: {reason}"

STYLE = """
body{font:15px/1.5 system-ui,sans-serif;margin:0;background:#f2f3f5;color:#1c1f23}
header{background:#22304a;color:#fff;padding:.8em 1.5em;display:flex;justify-content:space-between;align-items:baseline}
h1{font-size:1.25em;margin:0}main{max-width:56em;margin:1.5em auto;padding:0 1em}
.box{background:#fff;border:1px solid #d5d9df;border-radius:6px;padding:1em 1.2em;margin:0 0 1.2em}
.box h2{font-size:1em;margin:0 0 .8em}.note{background:#fff7df;border-color:#e6d28f}
.good{background:#e4f4e6;border-color:#a9d5ae}.bad{background:#fbe5e3;border-color:#e3aaa5}
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.45em .6em;border-bottom:1px solid #e4e7eb}
button{font:inherit;padding:.45em .9em;margin:0 .5em .4em 0;border:1px solid #8b6d10;border-radius:4px;background:#f3c84b;
color:#1c1f23;cursor:pointer}button.blue{background:#2f6fb5;border-color:#24578f;color:#fff}
label{display:block;margin:.6em 0}input{font:inherit;padding:.35em;width:16em}
.MASTER{color:#1d7a2b;font-weight:600}.BACKUP{color:#8a6300;font-weight:600}.INIT,.DISABLED{color:#b3261e;font-weight:600}
"""
PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{name} - {title}</title><style>{style}</style></head>
<body><header><h1>{title}</h1><span>{name}</span></header><main>
<p class="box note" role="note">{honest}</p>
{body}
</main></body></html>
"""
BOX = '<section class="box {kind}">{heading}{inner}</section>\n'
HEADING = "<h2>{text}</h2>"
LOGIN = """<form class="box" method="post" action="/index.php"><h2>Sign In</h2>
<label>Username<br><input name="usernamefld" autocomplete="username" required autofocus></label>
<label>Password<br><input name="passwordfld" type="password" autocomplete="current-password" required></label>
<button class="blue" name="login" value="Sign In">Sign In</button></form>
"""
FORM = """<form class="box" method="post" action="/status_carp.php"><h2>CARP Maintenance</h2>
<input type="hidden" name="__csrf_magic" value="{word}">{reset}
<button name="disablecarp" value="{toggle}">{toggle}</button>
<button class="blue" name="carp_maintenancemode" id="carp_maintenancemode" value="{maintenance}">{maintenance}</button>
</form>
"""
RESET_BUTTON = '<p>{said}</p><button name="resetdemotion" value="{label}">{label}</button><br>'
TABLE = """<table><thead><tr><th>Interface and VHID</th><th>Virtual IP Address</th><th>Status</th></tr></thead>
<tbody>{rows}</tbody></table>"""
ROW = '<tr><td>{descr}@{vhid}</td><td>{addresses}</td><td class="{status}">{status}</td></tr>\n'
LOGOUT = """<form method="post" action="/index.php"><input type="hidden" name="__csrf_magic" value="{word}">
<button name="logout" value="1">Logout</button></form>
"""


def login(name: str, problem: str) -> bytes:
    return _page(name, _box("bad", escape(problem)) + LOGIN)


def failure(name: str, reason: str) -> bytes:
    return _page(name, _box("bad", escape(FAILURE.format(reason=reason))))


def status(settings: Settings, carp: dict[str, Any], said: str, form_word: str) -> bytes:
    """carp: the CARP daemon's status."""
    body = _box("good", escape(said))
    if settings.vips:
        body += _buttons(settings, carp, form_word) + _box("", TABLE.format(rows=_rows(settings, carp)), "CARP Status")
    else:
        body += _box("bad", NO_VIPS)
    return _page(settings.fqdn, body + LOGOUT.format(word=form_word))


def _buttons(settings: Settings, carp: dict[str, Any], form_word: str) -> str:
    demotion = carp["demotion"]
    reset = RESET_BUTTON.format(said=DEMOTED.format(demotion=demotion), label=RESET) if demotion else ""
    return FORM.format(
        word=form_word,
        reset=reset,
        toggle=DISABLE if carp["allow"] else ENABLE,
        maintenance=LEAVE if settings.maintenance else ENTER,
    )


def _rows(settings: Settings, carp: dict[str, Any]) -> str:
    states = {(each["nic"], each["vhid"]): each["state"] for each in carp["vhids"]}
    rows = []
    for vip in settings.vips:
        parent = settings.interface(vip.key)
        stacked = [each.address for each in settings.ip_aliases if each.parent == f"_vip{vip.uniqid}"]
        known = states.get((vip.nic, vip.vhid), OFF) if carp["allow"] else OFF
        rows.append(
            ROW.format(
                descr=escape(parent.descr if parent else vip.key),
                vhid=vip.vhid,
                addresses="<br>".join(map(_address, (vip.address, *stacked))),
                status=known,
            )
        )
    return "".join(rows)


def _address(address: IPv4Interface) -> str:
    return escape(str(address))


def _box(kind: str, inner: str, heading: str = "") -> str:
    if not inner:
        return ""
    return BOX.format(kind=kind, heading=HEADING.format(text=heading) if heading else "", inner=inner)


def _page(name: str, body: str) -> bytes:
    honest = HONEST.format(product=STANDIN.name)
    text = PAGE.format(name=escape(name), title=TITLE, style=STYLE, honest=escape(honest), body=body)
    return text.encode()
