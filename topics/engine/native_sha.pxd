# SHA-256 and HMAC of libcrypto, called without Python objects in between.

from libc.stdint cimport uint8_t

cdef struct Midstate:
    # An SHA256_CTX of libcrypto: 112 bytes, part of its public interface, copied like any struct.
    uint8_t bytes[112]

cdef class Keyed:
    """HMAC-SHA256 under one key, with the key and a first part already taken in."""
    cdef Midstate inner
    cdef Midstate outer
    cdef object slow_inner
    cdef object slow_outer
    # 32 hexadecimal characters of the HMAC of the first part and this.
    cdef int hex32(self, const uint8_t* data, Py_ssize_t length, uint8_t* found) except -1

cdef int sha256(const uint8_t* data, Py_ssize_t length, uint8_t* digest) except -1
