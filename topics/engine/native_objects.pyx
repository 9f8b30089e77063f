# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Values as Python has them, and back: for the conversions and rules that bytes do not tell."""

import struct

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.unicode cimport PyUnicode_DecodeUTF8
from libc.stdint cimport uint8_t

from topics.engine.native_value cimport (
    KIND_BOOLEAN,
    KIND_BYTES,
    KIND_DOUBLE,
    KIND_FLOAT,
    KIND_INTEGER,
    KIND_NULL,
    KIND_TEXT,
    MAPPED,
    UNCLEAR,
)


cdef object to_object(const Value* value):
    """The value as Python has it."""
    if value.kind == KIND_TEXT:
        return PyUnicode_DecodeUTF8(<const char*> value.data, value.length, NULL)
    if value.kind == KIND_INTEGER:
        return value.number
    if value.kind == KIND_BOOLEAN:
        return value.number != 0
    if value.kind == KIND_BYTES:
        return PyBytes_FromStringAndSize(<const char*> value.data, value.length)
    if value.kind == KIND_FLOAT or value.kind == KIND_DOUBLE:
        data = PyBytes_FromStringAndSize(<const char*> value.data, value.length)
        return struct.unpack("<f" if value.kind == KIND_FLOAT else "<d", data)[0]
    return None


cdef int from_object(object found, Value* value, list kept) except -1:
    """A value that Python made; ``kept`` owns its bytes. ``MAPPED``, or ``UNCLEAR`` if it is no plain value."""
    cdef bytes data
    if found is None:
        value.kind = KIND_NULL
        return MAPPED
    if isinstance(found, bool):
        value.kind, value.number = KIND_BOOLEAN, found
        return MAPPED
    if isinstance(found, int):
        if not -(2**63) <= found < 2**63:
            return UNCLEAR
        value.kind, value.number = KIND_INTEGER, found
        return MAPPED
    if isinstance(found, str):
        data, value.kind = found.encode(), KIND_TEXT
    elif isinstance(found, bytes):
        data, value.kind = found, KIND_BYTES
    elif isinstance(found, float):
        data, value.kind = struct.pack("<d", found), KIND_DOUBLE
    else:
        return UNCLEAR
    kept.append(data)
    value.data, value.length = <const uint8_t*> PyBytes_AS_STRING(data), PyBytes_GET_SIZE(data)
    return MAPPED
