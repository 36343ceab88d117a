"""Option 1 and the boot without matching NICs: which NIC is which interface."""

from __future__ import annotations

from lab.console.catalogue.text import Text

SOURCE = "etc/inc/config.console.inc"

LITTLE_MEMORY = Text(
    "\n\n\nDANGER!  WARNING!  ACHTUNG!\n\n"
    "{product} requires *AT LEAST* 128 MB RAM to function correctly.\n"
    "Only ({installed}) MB RAM has been detected, with ({available}) available to {product}.\n"
    "\nPress ENTER to continue. ",
    SOURCE,
)
LITTLE_MEMORY_END = Text("\n", SOURCE)
LEAST_MEMORY_MIB = 101
"""Below this the warning comes (etc/inc/globals.inc, minimum_ram_warning)."""

VALID = Text("\nValid interfaces are:\n\n", SOURCE)
NO_NIC = Text("No interfaces found!\n", SOURCE)
# The third column is `  (up)` or `(down)`; the fourth is cut to 46 characters.
NIC = Text("{name:<7} {mac} {status} {about}\n", SOURCE)
UP, DOWN = "  (up)", "(down)"
ASK_VLANS = Text(
    "\nDo VLANs need to be set up first?\n"
    "If VLANs will not be used, or only for optional interfaces, it is typical to\n"
    "say no here and use the webConfigurator to configure VLANs later, if required.\n"
    "\nShould VLANs be set up now [y|n]? ",
    SOURCE,
)
VLANS_CLEARED = Text(
    "\nWARNING: all existing VLANs will be cleared if you proceed!\n\nDo you want to proceed [y|n]? ", SOURCE
)
VLANS_BEGIN = Text("\n", SOURCE)
VLAN_CAPABLE = Text("\n\nVLAN Capable interfaces:\n\n", SOURCE)
# The third column is `   (up)` or nothing.
VLAN_CAPABLE_LINE = Text("{name:<8}{mac}{status}\n", SOURCE)
VLAN_UP = "   (up)"
ASK_VLAN_PARENT = Text("\nEnter the parent interface name for the new VLAN (or nothing if finished): ", SOURCE)
ASK_VLAN_TAG = Text("Enter the VLAN tag (1-4094): ", SOURCE)
INVALID_VLAN_TAG = Text("\nInvalid VLAN tag '{tag}'\n", SOURCE)
VLAN_TWICE = Text("\n\nThis parent interface and VLAN already created.", SOURCE)
VLANS = Text("\n\nVLAN interfaces:\n\n", SOURCE)
VLAN_LINE = Text("{name:<16}VLAN tag {tag}, parent interface {parent}\n", SOURCE)
AUTO_DETECTION = Text(
    "\nIf the names of the interfaces are not known, auto-detection can\n"
    "be used instead. To use auto-detection, please disconnect all\n"
    "interfaces before pressing 'a' to begin the process.\n",
    SOURCE,
)
ASK_WAN = Text("\nEnter the WAN interface name or 'a' for auto-detection \n({names} or a): ", SOURCE)
ASK_LAN = Text(
    "\nEnter the LAN interface name or 'a' for auto-detection \n"
    "NOTE: this enables full Firewalling/NAT mode.\n"
    "({names} a or nothing if finished): ",
    SOURCE,
)
FOUND_DESCRIPTION = Text("\nOptional interface {number} description found: {descr}", SOURCE)
ASK_OPTIONAL = Text(
    "\nEnter the Optional {number} interface name or 'a' for auto-detection\n({names} a or nothing if finished): ",
    SOURCE,
)
INVALID_NAME = Text("\nInvalid interface name '{name}'\n", SOURCE)
ASSIGNED_TWICE = Text("\nError: The same interface name cannot be assigned twice!\n", SOURCE)
CONNECT_NOW = Text(
    "\nConnect the {name} interface now and make sure that the link is up.\nThen press ENTER to continue.\n", SOURCE
)
LINK_UP = Text("Detected link-up on interface {nic}.\n", SOURCE)
NO_LINK_UP = Text("No link-up detected.\n", SOURCE)
SUMMARY = Text("\nThe interfaces will be assigned as follows:\n\n", SOURCE)
SUMMARY_LINE = Text("{name:<4} -> {nic}\n", SOURCE)
PROCEED = Text("\nDo you want to proceed [y|n]? ", SOURCE)
REMOVE_LAN = Text(
    "\nYou have chosen to remove the LAN interface.\n"
    "\nWould you like to remove the LAN IP address and \nunload the interface now [y|n]? ",
    SOURCE,
)
WRITING = Text("\nWriting configuration...", SOURCE)
WRITTEN = Text("done.\n", SOURCE)
RELOADING = Text("One moment while the settings are reloading...", SOURCE)
RELOADED = Text(" done!\n", SOURCE)
