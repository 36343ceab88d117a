"""The sections of a pfSense 2.7.0 config.xml, one module a subject. `lab.render.config_xml` puts them together."""
