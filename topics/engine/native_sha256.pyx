# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""SHA-256 of the interpreter's own libcrypto: found through ``_hashlib``; without it, ``hashlib`` computes it."""

import hashlib
from importlib.util import find_spec

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.string cimport memcpy

cdef extern from "dlfcn.h" nogil:
    void* dlopen(const char* path, int flags)
    void* dlsym(void* handle, const char* name)
    int RTLD_NOW
    int RTLD_LOCAL

ctypedef int (*begin_function)(void* context) noexcept nogil
ctypedef int (*update_function)(void* context, const void* data, size_t length) noexcept nogil
ctypedef int (*end_function)(uint8_t* digest, void* context) noexcept nogil

cdef begin_function _begin = NULL
cdef update_function _update = NULL
cdef end_function _end = NULL


cdef int _prepare() except -1:
    """The functions that give a digest without an object; they stay unset where one is missing."""
    global _begin, _update, _end
    cdef void* library
    cdef bytes path
    found = find_spec("_hashlib")
    if found is None or not found.origin:
        return 0
    path = found.origin.encode()
    library = dlopen(PyBytes_AS_STRING(path), RTLD_NOW | RTLD_LOCAL)
    if library == NULL:
        return 0
    if dlsym(library, "SHA256_Init") == NULL or dlsym(library, "SHA256_Update") == NULL:
        return 0
    _end = <end_function> dlsym(library, "SHA256_Final")
    if _end == NULL:
        return 0
    _begin = <begin_function> dlsym(library, "SHA256_Init")
    _update = <update_function> dlsym(library, "SHA256_Update")
    return 0


cdef int sha256(const uint8_t* data, Py_ssize_t length, uint8_t* digest) except -1:
    """Write the 32 bytes of the digest."""
    # A SHA256_CTX takes 112 bytes.
    cdef unsigned long long context[32]
    cdef bytes found
    if _begin != NULL and _begin(context) and _update(context, data, length) and _end(digest, context):
        return 0
    found = hashlib.sha256(PyBytes_FromStringAndSize(<const char*> data, length)).digest()
    memcpy(digest, PyBytes_AS_STRING(found), 32)
    return 0


_prepare()
