"""Driving the installer: rules.py says which screen gets which answer, driver.py obeys."""
