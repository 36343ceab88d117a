"""The stand-in's web interface: HTTPS, XML-RPC behind it, and one page. Nothing of it is imported before somebody connects."""
