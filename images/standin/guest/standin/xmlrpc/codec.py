"""XML-RPC on the wire, to the byte as PEAR's XML_RPC2 writes it, which is what pfSense speaks."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree.ElementTree import Element, ParseError, fromstring

from standin.xmlrpc.php import Array, Value, is_list, key_of, listed, text_of

HEADER = '<?xml version="1.0" encoding="utf-8"?>\n'
RESPONSE = HEADER + "<methodResponse><params><param><value>{value}</value></param></params></methodResponse>"
FAULT = HEADER + "<methodResponse><fault><value>{value}</value></fault></methodResponse>"
CALL = HEADER + "<methodCall><methodName>{method}</methodName><params>{params}</params></methodCall>"
PARAM = "<param><value>{value}</value></param>"

UNPARSABLE = "Unable to parse request XML"
NO_ANSWER = "Unable to decode xml-rpc response. No fault nor params/param elements found"
UNKNOWN_TYPE = "Unable to decode XML-RPC value. Value type is not recognized '{tag}'"


class Fault(Exception):
    """An XML-RPC fault: given by us, or received."""

    def __init__(self, code: int, text: str) -> None:
        self.code, self.text = code, text
        super().__init__(f"#{code} : {text}")


class DecodeError(ValueError):
    """What came is no XML-RPC."""


def encode_call(method: str, params: Sequence[Value]) -> bytes:
    return CALL.format(method=method, params="".join(PARAM.format(value=_encode(each)) for each in params)).encode()


def encode_response(value: Value) -> bytes:
    return RESPONSE.format(value=_encode(value)).encode()


def encode_fault(fault: Fault) -> bytes:
    return FAULT.format(value=_encode({"faultCode": fault.code, "faultString": fault.text})).encode()


def decode_call(data: bytes) -> tuple[str, list[Value]]:
    """Method and parameters. Raises Fault as the receiver answers what it cannot read."""
    try:
        root = fromstring(data)
    except (ParseError, ValueError):
        raise Fault(0, UNPARSABLE) from None
    try:
        return root.findtext("methodName") or "", [_decode(value) for value in root.findall("params/param/value")]
    except (DecodeError, ValueError) as error:
        raise Fault(1, str(error)) from None


def decode_response(data: bytes) -> Value:
    """The answer to a call. Raises Fault where it is one, DecodeError where it is neither."""
    try:
        root = fromstring(data)
    except (ParseError, ValueError) as error:
        raise DecodeError(str(error)) from None
    if (fault := root.find("fault/value")) is not None:
        given = _decode(fault)
        known = given if isinstance(given, dict) else {}
        code, text = known.get("faultCode", 0), known.get("faultString", "")
        raise Fault(code if isinstance(code, int) else 0, "" if isinstance(text, dict) else text_of(text))
    value = root.find("params/param/value")
    if value is None:
        raise DecodeError(NO_ANSWER)
    return _decode(value)


def _encode(value: Value) -> str:
    if isinstance(value, bool):
        return f"<boolean>{text_of(value)}</boolean>"
    if isinstance(value, int):
        return f"<int>{value}</int>" if value <= 0x7FFFFFFF else f"<i8>{value}</i8>"
    if isinstance(value, float):
        return f"<double>{value}</double>"
    if isinstance(value, str):
        return f"<string>{_escape(value)}</string>"
    if is_list(value):
        inner = "".join(f"<value>{_encode(each)}</value>" for each in value.values())
        return f"<array><data>{inner}</data></array>"
    members = (
        f"<member><name>{_escape(str(name))}</name><value>{_encode(each)}</value></member>"
        for name, each in value.items()
    )
    return f"<struct>{''.join(members)}</struct>"


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _decode(value: Element) -> Value:
    kinds = list(value)
    if not kinds:
        return value.text or ""
    kind = kinds[0]
    text = kind.text or ""
    if kind.tag in ("int", "i4", "i8"):
        return _number(text)
    if kind.tag == "boolean":
        return text.strip() == "1"
    if kind.tag == "double":
        return float(text)
    if kind.tag in ("string", "base64", "dateTime.iso8601"):
        return text
    if kind.tag == "array":
        return listed([_decode(each) for each in kind.findall("data/value")])
    if kind.tag == "struct":
        return _struct(kind)
    raise DecodeError(UNKNOWN_TYPE.format(tag=kind.tag))


def _number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise DecodeError(UNKNOWN_TYPE.format(tag=f"int: {text}")) from None


def _struct(kind: Element) -> Array:
    found: Array = {}
    for member in kind.findall("member"):
        value = member.find("value")
        if value is not None:
            found[key_of(member.findtext("name") or "")] = _decode(value)
    return found
