"""The boxes of pfSense's page System > High Availability that say what a configuration sync sends."""

from __future__ import annotations

SYNCHRONIZE = (
    "synchronizeusers",
    "synchronizeauthservers",
    "synchronizecerts",
    "synchronizerules",
    "synchronizeschedules",
    "synchronizealiases",
    "synchronizenat",
    "synchronizeipsec",
    "synchronizeopenvpn",
    "synchronizedhcpd",
    "synchronizedhcrelay",
    "synchronizedhcrelay6",
    "synchronizewol",
    "synchronizestaticroutes",
    "synchronizevirtualip",
    "synchronizetrafficshaper",
    "synchronizetrafficshaperlimiter",
    "synchronizednsforwarder",
    "synchronizecaptiveportal",
)
"""Every box of the page's "Toggle All" (src/usr/local/www/system_hasync.php); `adminsync` stands apart, before them."""
