"""Banner, menu and the short dialogues behind it."""

from __future__ import annotations

from lab.console.catalogue.text import Text

BANNER_HEAD = Text(
    "{platform} - {maker} Device ID: {device_id}\n\n*** Welcome to {product} {version} ({machine}) on {hostname} ***\n",
    "etc/rc.banner",
)
# The two names are padded; a longer one pushes the rest to the right.
BANNER_INTERFACE = Text("\n {label:<15} -> {nic:<10} -> {addresses}", "etc/rc.banner")
BANNER_ADDRESS = Text("v4{kind}: {address}", "etc/rc.banner")
BANNER_END = Text("\n", "etc/rc.banner")

MENU = Text(
    "\n"
    " 0) Logout (SSH only)                  9) pfTop\n"
    " 1) Assign Interfaces                 10) Filter Logs\n"
    " 2) Set interface(s) IP address       11) Restart webConfigurator\n"
    " 3) Reset webConfigurator password    12) PHP shell + {product} tools\n"
    " 4) Reset to factory defaults         13) Update from console\n"
    " 5) Reboot system                     14) {ssh_action} Secure Shell (sshd)\n"
    " 6) Halt system                       15) Restore recent configuration\n"
    " 7) Ping host                         16) Restart PHP-FPM\n"
    " 8) Shell\n"
    "\n",
    "etc/rc.initial",
)
PROMPT = Text("Enter an option: ", "etc/rc.initial")
AFTER_ANSWER = Text("\n", "etc/rc.initial")

REBOOT_ASK = Text(
    "\n{product} will reboot. This may take a few minutes, depending on your hardware.\n"
    "Do you want to proceed?\n\n"
    "    Y/y: Reboot normally\n"
    "    R/r: Reroot (Stop processes, remount disks, re-run startup sequence)\n"
    "    S: Reboot into Single User Mode (requires console access!)\n"
    "Enter an option: ",
    "etc/rc.initial.reboot",
)
# Where the file system is not ZFS there is one more line, `F: Reboot and run a filesystem check`, and an empty one.
REBOOTING = Text("\n{product} is rebooting now.\n", "etc/rc.initial.reboot")
REROOTING = Text("\n{product} is rerooting now.\n", "etc/rc.initial.reboot")
SINGLE_USER = Text("\n{product} is rebooting into single user mode now.\n", "etc/rc.initial.reboot")
REBOOT_END = Text("\n", "etc/rc.initial.reboot")

HALT_ASK = Text(
    "\n{product} will shutdown and halt system. This may take a few minutes, depending on your hardware.\n"
    "Do you want to proceed [y|n]? ",
    "etc/rc.initial.halt",
)
HALTING = Text("\n{product} will shutdown and halt system now.\n", "etc/rc.initial.halt")

PING_ASK = Text("\nEnter a host name or IP address: ", "etc/rc.initial.ping")
PING_START = Text("\n", "etc/rc.initial.ping")
PING_END = Text("\nPress ENTER to continue.\n", "etc/rc.initial.ping")

DEFAULTS_ASK = Text(
    "\nYou are about to reset the firewall to factory defaults."
    "\nThe firewall will reboot after resetting the configuration."
    "\nAll additional packages installed will be removed."
    "\nDo you want to proceed [y|n]? ",
    "etc/rc.initial.defaults",
)

SSH_ASK_ENABLE = Text("SSHD is currently disabled.  Would you like to enable? [y/n]? ", "etc/rc.initial.toggle_sshd")
SSH_ASK_DISABLE = Text("SSHD is currently enabled.  Would you like to disable? [y/n]? ", "etc/rc.initial.toggle_sshd")
SSH_WRITING = Text("\nWriting configuration...", "etc/rc.initial.toggle_sshd")
SSH_WRITTEN = Text(" done.\n", "etc/rc.initial.toggle_sshd")
SSH_ENABLING = Text("\nEnabling SSHD...", "etc/rc.initial.toggle_sshd")
SSH_DISABLING = Text("\nDisabling SSHD...", "etc/rc.initial.toggle_sshd")
SSH_RELOADING = Text("\nReloading firewall rules.", "etc/rc.initial.toggle_sshd")
SSH_ENABLED = Text(" done.\n\n", "etc/rc.initial.toggle_sshd")
SSH_DISABLED = Text(" done.\n", "etc/rc.initial.toggle_sshd")

PASSWORD_ASK = Text(
    "\n\nThe webConfigurator admin password and privileges will be reset to the default"
    ' (which is "{default_password}").\n'
    "Do you want to proceed [y|n]? ",
    "etc/rc.initial.password",
)
PASSWORD_AUTHMODE = Text(
    '\n\nThe User manager authentication server is set to "{authmode}".\n'
    "Do you want to set it back to Local Database [y|n]? ",
    "etc/rc.initial.password",
)
PASSWORD_NO_ADMIN = Text(
    "Failed to locate the admin user account! Attempting to restore access.\n", "etc/rc.initial.password"
)
PASSWORD_DONE = Text(
    "\n\nThe password for the webConfigurator has been reset and\n"
    'the default username has been set to "admin".\n\n'
    "Remember to set the password to something else than\n"
    "the default as soon as you have logged into the webConfigurator.\n"
    "Press ENTER to continue.",
    "etc/rc.initial.password",
)

WEB_RESTART = Text("Restarting webConfigurator...", "etc/rc.restart_webgui")
WEB_RESTARTED = Text(" done.\n\n", "etc/rc.restart_webgui")

PHP_FPM_KILLING_RELOADER = Text(">>> Killing check_reload_status\n", "etc/rc.php-fpm_restart")
PHP_FPM_KILLING = Text(">>> Killing php-fpm\n", "etc/rc.php-fpm_restart")
PHP_FPM_LOCK = Text(">>> Found XMLRPC lock. Removing.\n", "etc/rc.php-fpm_restart")
PHP_FPM_STARTING = Text(">>> Starting php-fpm\n", "etc/rc.php-fpm_restart")
PHP_FPM_STARTING_RELOADER = Text(">>> Starting check_reload_status\n", "etc/rc.php-fpm_restart")

UPDATING = Text(">>> Updating repositories metadata... \n", "pfSense-upgrade (FreeBSD-ports, sysutils/pfSense-upgrade)")
