# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""SHA-256 and HMAC of libcrypto, called without Python objects in between.

The interpreter's own ``_hashlib`` is linked to libcrypto; its three functions are found through it. Where they
are not, hashlib's objects do the same work more slowly.
"""

import hashlib

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.stdint cimport uint8_t
from libc.string cimport memcpy

try:
    import _hashlib
except ImportError:
    _hashlib = None

cdef extern from "dlfcn.h" nogil:
    void* dlopen(const char* path, int flags)
    void* dlsym(void* handle, const char* name)
    int RTLD_LAZY
    int RTLD_NOLOAD

ctypedef int (*Init)(Midstate*) noexcept nogil
ctypedef int (*Update)(Midstate*, const void*, size_t) noexcept nogil
ctypedef int (*Final)(uint8_t*, Midstate*) noexcept nogil

DEF BLOCK = 64
DEF DIGEST = 32
DEF SHOWN = 16

cdef Init _init = NULL
cdef Update _update = NULL
cdef Final _final = NULL
cdef char* _HEX = b"0123456789abcdef"


cdef bint _find():
    """Look the three functions up, and try them on a value that is known."""
    global _init, _update, _final
    cdef bytes path = getattr(_hashlib, "__file__", "").encode()
    cdef void* handle = dlopen(PyBytes_AS_STRING(path), RTLD_LAZY | RTLD_NOLOAD) if path else NULL
    cdef Midstate state
    cdef uint8_t digest[DIGEST]
    if handle == NULL:
        return False
    _init = <Init> dlsym(handle, b"SHA256_Init")
    _update = <Update> dlsym(handle, b"SHA256_Update")
    _final = <Final> dlsym(handle, b"SHA256_Final")
    if _init == NULL or _update == NULL or _final == NULL:
        return False
    if not (_init(&state) and _update(&state, b"abc", 3) and _final(digest, &state)):
        return False
    return PyBytes_FromStringAndSize(<char*> digest, DIGEST) == hashlib.sha256(b"abc").digest()


cdef bint _found = _find()


cdef int sha256(const uint8_t* data, Py_ssize_t length, uint8_t* digest) except -1:
    """Write the 32 bytes of the digest."""
    cdef Midstate state
    cdef bytes slow
    if _found:
        _init(&state)
        _update(&state, data, length)
        _final(digest, &state)
    else:
        slow = hashlib.sha256(PyBytes_FromStringAndSize(<const char*> data, length)).digest()
        memcpy(digest, PyBytes_AS_STRING(slow), DIGEST)
    return 0


def libcrypto():
    """Whether libcrypto is called directly."""
    return bool(_found)


cdef class Keyed:
    """HMAC-SHA256 under one key, with the key and a first part already taken in."""

    def __init__(self, bytes key, bytes first=b"", direct=True):
        cdef bytes block = (hashlib.sha256(key).digest() if len(key) > BLOCK else key).ljust(BLOCK, b"\0")
        cdef bytes inside = bytes(byte ^ 0x36 for byte in block) + first
        cdef bytes outside = bytes(byte ^ 0x5C for byte in block)
        if _found and direct:
            _init(&self.inner)
            _update(&self.inner, PyBytes_AS_STRING(inside), PyBytes_GET_SIZE(inside))
            _init(&self.outer)
            _update(&self.outer, PyBytes_AS_STRING(outside), PyBytes_GET_SIZE(outside))
        else:
            self.slow_inner, self.slow_outer = hashlib.sha256(inside), hashlib.sha256(outside)

    cdef int hex32(self, const uint8_t* data, Py_ssize_t length, uint8_t* found) except -1:
        """32 hexadecimal characters of the HMAC of the first part and this."""
        cdef Midstate state
        cdef uint8_t digest[DIGEST]
        cdef bytes slow
        cdef int index
        if self.slow_inner is None:
            state = self.inner
            _update(&state, data, length)
            _final(digest, &state)
            state = self.outer
            _update(&state, digest, DIGEST)
            _final(digest, &state)
        else:
            inner, outer = self.slow_inner.copy(), self.slow_outer.copy()
            inner.update(PyBytes_FromStringAndSize(<const char*> data, length))
            outer.update(inner.digest())
            slow = outer.digest()
            memcpy(digest, PyBytes_AS_STRING(slow), DIGEST)
        for index in range(SHOWN):
            found[2 * index] = _HEX[digest[index] >> 4]
            found[2 * index + 1] = _HEX[digest[index] & 15]
        return 0

    def hex(self, bytes data):
        """The 32 characters as text."""
        cdef uint8_t found[2 * SHOWN]
        self.hex32(<const uint8_t*> PyBytes_AS_STRING(data), PyBytes_GET_SIZE(data), found)
        return PyBytes_FromStringAndSize(<char*> found, 2 * SHOWN).decode()
