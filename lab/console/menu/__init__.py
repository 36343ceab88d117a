"""Driving a firewall's console: prompts.py what it asks, talk.py how it is answered, state.py where it stands, driver.py the tasks."""
