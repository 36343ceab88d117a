"""Option 15: the configurations that were in force before."""

from __future__ import annotations

from lab.console.catalogue.text import Text

SOURCE = "etc/rc.restore_config_backup"

# An end of input ends the dialogue here; pfSense's script asks for ever.
CHOICES = Text(
    "\nRestore Backup from Configuration History\n\n"
    "1) List Backups\n2) Restore Backup\nQ) Quit\n\n\n"
    "Please select an option to continue: ",
    SOURCE,
)
QUIT = Text("\n", SOURCE)
NONE = Text("No backups found in the configuration history.", SOURCE)
# Number of two digits, date as `6/27/23 14:05:09`, version, page that made the change.
ENTRY = Text("{number:02d}. {date}\tv{config_version}\t{page}\n", "etc/inc/config.lib.inc, backup_info")
ENTRY_REASON = Text("    {reason}\n", "etc/inc/config.lib.inc, backup_info")
ENTRY_END = Text("\n", SOURCE)
UNKNOWN_PAGE = "Unknown Page"
UNKNOWN_DATE = "Unknown"
WHICH = Text("Which configuration would you like to restore?\n 1-{count} : ", SOURCE)
INVALID_NUMBER = Text("That is not a valid backup number.\n", SOURCE)
CANCELLED_INVALID = Text("Restore cancelled due to invalid input.\n", SOURCE)
CONFIRM = Text("\nIs this the backup you wish to restore?\n", SOURCE)
ASK = Text("Y/N? : ", SOURCE)
CANCELLED = Text("Restore cancelled.\n", SOURCE)
REVERTED = Text(
    '\nSuccessfully reverted to timestamp {date} with description "{description}".\n'
    "You may need to reboot the firewall or restart services before the restored configuration is fully active.\n\n",
    SOURCE,
)
UNABLE = Text("Unable to revert to the selected configuration.\n", SOURCE)
