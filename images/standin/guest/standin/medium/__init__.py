"""The stand-in's installer medium: its own disk, booted from a stick, asks what pfSense's installer asks and installs itself."""
