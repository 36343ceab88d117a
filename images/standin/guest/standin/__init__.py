"""The stand-in firewall: what runs inside its guest. Standard library and lab.carp only."""
