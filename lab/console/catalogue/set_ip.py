"""Option 2: the address of one interface."""

from __future__ import annotations

from lab.console.catalogue.text import Text

SOURCE = "etc/rc.initial.setlanip"

AVAILABLE = Text("Available interfaces:\n\n", SOURCE)
CHOICE = Text("{number} - {descr} ({about})\n", SOURCE)
ASK_NUMBER = Text("\nEnter the number of the interface you wish to configure: ", SOURCE)

ASK_DHCP = Text("\nConfigure {family} address {name} interface via {dhcp}? (y/n) ", SOURCE)
ASK_ADDRESS = Text("\nEnter the new {name} {family} address.  Press <ENTER> for none:\n> ", SOURCE)
CONFLICT = Text("This IP address conflicts with another interface or a VIP\n", SOURCE)
BITS_HELP = Text("\nSubnet masks are entered as bit counts (as in CIDR notation) in {product}.\n", SOURCE)
BITS_HELP_4 = Text("e.g. 255.255.255.0 = 24\n     255.255.0.0   = 16\n     255.0.0.0     = 8\n", SOURCE)
BITS_HELP_6 = Text(
    "e.g. ffff:ffff:ffff:ffff:ffff:ffff:ffff:ff00 = 120\n"
    "     ffff:ffff:ffff:ffff:ffff:ffff:ffff:0    = 112\n"
    "     ffff:ffff:ffff:ffff:ffff:ffff:0:0       =  96\n"
    "     ffff:ffff:ffff:ffff:ffff:0:0:0          =  80\n"
    "     ffff:ffff:ffff:ffff:0:0:0:0             =  64\n",
    SOURCE,
)
ASK_BITS = Text("\nEnter the new {name} {family} subnet bit count (1 to {most}):\n> ", SOURCE)
NETWORK_ADDRESS = Text("You cannot set network address to an interface", SOURCE)
BROADCAST_ADDRESS = Text("You cannot set broadcast address to an interface", SOURCE)
ASK_GATEWAY = Text(
    "\nFor a WAN, enter the new {name} {family} upstream gateway address.\nFor a LAN, press <ENTER> for none:\n> ",
    SOURCE,
)
NOT_AN_ADDRESS = Text("not an {family} IP address!\n", SOURCE)
NON_LOCAL_GATEWAY = Text("Non-local gateway detected.\n", SOURCE)
ASK_DEFAULT_GATEWAY = Text("\nShould this gateway be set as the default gateway? (y/n) ", SOURCE)

ASK_DHCP_SERVER = Text("\nDo you want to enable the {dhcp} server on {name}? (y/n) ", SOURCE)
ASK_RANGE_START = Text("Enter the start address of the {family} client address range: ", SOURCE)
ASK_RANGE_END = Text("Enter the end address of the {family} client address range: ", SOURCE)
NOT_IN_SUBNET = Text("This IP address must be in the interface's subnet\n", SOURCE)
RANGE_BACKWARDS = Text("The end address of the DHCP range must be >= the start address\n", SOURCE)
DISABLING_DHCPD = Text("Disabling {family} DHCPD...\n", SOURCE)

ASK_HTTP = Text("\nDo you want to revert to HTTP as the webConfigurator protocol? (y/n) ", SOURCE)
ANTI_LOCKOUT_BACK = Text("\nNote: the anti-lockout rule on {key} has been re-enabled.\n", SOURCE)

SAVING = Text("\nPlease wait while the changes are saved to {name}...", SOURCE)
RELOADING_FILTER = Text("\n Reloading filter...", SOURCE)
RELOADING_ROUTING = Text("\n Reloading routing configuration...", SOURCE)
RELOADING_DHCPD = Text("\n DHCPD...", SOURCE)
RESTARTING_WEB = Text("\n Restarting webConfigurator... ", SOURCE)
ADDRESS_SET = Text("\n\nThe {family} {name} address has been set to {address}\n", SOURCE)
WEB_URL = Text(
    "You can now access the webConfigurator by opening the following URL in your web browser:\n\t\t{url}\n", SOURCE
)
PRESS_ENTER = Text("\nPress <ENTER> to continue.", SOURCE)
