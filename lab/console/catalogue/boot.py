"""Console lines of a boot, in order of appearance. Steps that do not happen are not announced."""

from __future__ import annotations

from lab.console.catalogue.text import Text

DONE = Text("done.\n", "etc/rc.bootup")
WELCOME = Text("Welcome to {product} {version}...\n\n", "etc/pfSense-rc")
LAUNCHING = Text("Launching the init system...", "etc/pfSense-rc")
LAUNCHED = Text(" done.\n", "etc/pfSense-rc")
INITIALIZING = Text("Initializing............", "etc/rc.bootup")
LOADING_CONFIGURATION = Text("Loading configuration......", "etc/rc.bootup")
UPDATING_CONFIGURATION = Text("Updating configuration...", "etc/rc.bootup")
CONFIGURING_LOOPBACK = Text("Configuring loopback interface...", "etc/inc/interfaces.inc")
CONFIGURING_INTERFACE = Text("Configuring {descr} interface...", "etc/inc/interfaces.inc")
CONFIGURING_CARP = Text("Configuring CARP settings...", "etc/inc/interfaces.inc")
CONFIGURING_FIREWALL = Text("Configuring firewall......", "etc/inc/filter.inc")
SETTING_ROUTES = Text("Setting up static routes...", "etc/inc/system.inc")
STARTING_SSH = Text("Starting Secure Shell Services...", "etc/sshd")
STARTING_WEB = Text("Starting webConfigurator...", "etc/inc/system.inc")
USER_SETTINGS = Text("Synchronizing user settings...", "etc/rc.bootup")
BOOT_COMPLETE = Text("\nBootup complete\n\n", "etc/rc.bootup")
NO_DEFAULTS = Text("\nDefault interfaces not found -- Running interface assignment option.\n", "etc/rc.bootup")
"""In place of MISMATCH where config.xml has no `<revision>`: it is the factory's own."""
NO_CARD = Text(
    "\n{product} cannot continue without at least one Network Interface Card.\n\nHalting the system.\n", "etc/rc.bootup"
)
SINGLE_USER = Text("Enter full pathname of shell or RETURN for /bin/sh: ", "FreeBSD sbin/init/init.c, single_user")
MISMATCH = Text(
    "Warning: Configuration references interfaces that do not exist: {missing}\n"
    "\nNetwork interface mismatch -- Running interface assignment option.\n",
    "etc/rc.bootup",
)

ECL_START = Text("External config loader 1.0 is now starting...", "etc/rc.ecl")
ECL_SLICE = Text(" {slice}", "etc/rc.ecl")
ECL_FOUND = Text(" -> found config.xml\n", "etc/rc.ecl")
ECL_BACKUP = Text("Backing up old configuration...\n", "etc/rc.ecl")
ECL_RESTORE = Text("Restoring [{slice}] {path}...\n", "etc/rc.ecl")
ECL_FIRST_BOOT = Text("First boot after install, setting flag for package sync and disabling wizard...\n", "etc/rc.ecl")
ECL_CLEANUP = Text("Cleaning up...\n", "etc/rc.ecl")
ECL_END = Text("\n", "etc/rc.ecl")
