"""Configuration sync as pfSense does it: its arrays, its XML-RPC, what the master sends, what the receiver makes of it."""
