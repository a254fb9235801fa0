"""Good requests with one bad field each, as wire bytes: what is walked is the descriptor, so that a
new field is tried by itself.

`bad_values(field)` gives the bad values that a field of that kind can have; `absent(path, field)`
says whether the request without it is a bad one, too.
"""

import re

from google.protobuf.descriptor import FieldDescriptor as Field


def varint(value):
    out = b""
    value &= (1 << 64) - 1
    while value >= 0x80:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def field_bytes(field, value):
    if isinstance(value, bytes):
        return varint(field.number << 3 | 2) + varint(len(value)) + value
    return varint(field.number << 3) + varint(value)


def without_places(path):
    """A part of a message that came in two pieces is counted from its own start."""
    return re.sub(r"\[\d+\]", "", path)


def walk(message, path, wrap, absent, bad_values):
    """(path, bytes of the whole request) of every bad request; `wrap` puts bytes of this message
    behind the good request, where they count."""
    for field in message.DESCRIPTOR.fields:
        here = path + field.name
        if absent(here, field):
            copy = type(message)()
            copy.CopyFrom(message)
            copy.ClearField(field.name)
            yield here, wrap(copy.SerializeToString(), True)
        repeated = field.label == Field.LABEL_REPEATED
        if field.type == Field.TYPE_MESSAGE:
            inner = getattr(message, field.name)
            if repeated:
                if not inner:
                    continue
                inner, place = inner[0], here + f"[{len(inner)}]."
                good = inner.SerializeToString()
                yield from walk(inner, place, lambda data, whole, f=field, g=good: wrap(
                    field_bytes(f, data if whole else g + data), False), absent, bad_values)
            elif message.HasField(field.name):
                yield from walk(inner, here + ".", lambda data, whole, f=field, m=message: (
                    wrap(replaced(m, f, data), True) if whole
                    else wrap(field_bytes(f, data), False)), absent,
                    bad_values)
            continue
        place = here + (f"[{len(getattr(message, field.name))}]" if repeated else "")
        for value in bad_values(field):
            yield place, wrap(field_bytes(field, value), False)


def replaced(message, field, data):
    """The message with this one field given as bytes."""
    copy = type(message)()
    copy.CopyFrom(message)
    copy.ClearField(field.name)
    return copy.SerializeToString() + field_bytes(field, data)
