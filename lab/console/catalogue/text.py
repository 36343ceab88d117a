"""One piece of what a firewall prints, with the place it was found in and holes for what varies."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Product:
    """Who is speaking. The same dialogue under another name is another Product.

    name:    what pfSense calls its product_name.
    version: `2.7.0-RELEASE`; shown in the banner and in the shell's prompt.
    maker:   stands before "Device ID".
    """

    name: str
    version: str
    maker: str
    machine: str = "amd64"


PFSENSE = Product(name="pfSense", version="2.7.0-RELEASE", maker="Netgate")
STANDIN = Product(name="Uranus stand-in", version="2.7.0-standin", maker="Uranus")


@dataclass(frozen=True)
class Text:
    """What is printed at one point.

    body:   the text with `\\n` line ends (the terminal makes `\\r\\n`), `{product}`, `{version}`, `{maker}`, `{machine}` and
            holes of its own.
    source: the file of pfSense's RELENG_2_7_0 it comes from, relative to `src/`.
    """

    body: str
    source: str

    def fill(self, product: Product, **fields: object) -> str:
        """The text as `product` prints it. Raises KeyError when a hole stays open."""
        names = {
            "product": product.name,
            "version": product.version,
            "maker": product.maker,
            "machine": product.machine,
        }
        return self.body.format(**names, **fields)
