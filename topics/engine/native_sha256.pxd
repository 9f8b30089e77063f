# SHA-256 of the interpreter's own libcrypto, without a Python object per digest.

from libc.stdint cimport uint8_t

cdef int sha256(const uint8_t* data, Py_ssize_t length, uint8_t* digest) except -1
