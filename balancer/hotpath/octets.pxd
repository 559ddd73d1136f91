# The compiled build's side of octets.py: the same functions, on memory. What they do is said there.

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.string cimport memchr, memcmp, memcpy

cdef extern from *:
    """
    #ifndef _GNU_SOURCE
    #define _GNU_SOURCE
    #endif
    #include <string.h>
    void *memmem(const void *haystack, size_t haystack_size, const void *needle, size_t size);

    /* RFC 9110 section 5.6.2 and RFC 9112 section 5: 1 is an octet of a token, 2 one of a field value. */
    static unsigned char ecluse_kind[256];

    __attribute__((constructor)) static void ecluse_fill_kinds(void) {
        const char *token = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        for (; *token; token++) ecluse_kind[(unsigned char)*token] |= 1;
        for (int octet = 0x20; octet < 0x100; octet++)
            if (octet != 0x7f) ecluse_kind[octet] |= 2;
        ecluse_kind['\\t'] |= 2;
    }

    static Py_ssize_t ecluse_find_head_end(const char *data, Py_ssize_t start, Py_ssize_t size) {
        const char *found = start < size ? memmem(data + start, size - start, "\\r\\n\\r\\n", 4) : NULL;
        return found ? found - data : -1;
    }
    """
    const unsigned char *ecluse_kind
    Py_ssize_t ecluse_find_head_end(const char *data, Py_ssize_t start, Py_ssize_t size) nogil

cdef inline Py_ssize_t find(bytes data, int octet, Py_ssize_t start, Py_ssize_t end) noexcept:
    cdef const char *memory = PyBytes_AS_STRING(data)
    cdef const char *found = NULL
    if end > PyBytes_GET_SIZE(data):
        end = PyBytes_GET_SIZE(data)
    if start < end:
        found = <const char *>memchr(memory + start, octet, end - start)
    return found - memory if found != NULL else -1

cdef inline Py_ssize_t count(bytes data, int octet) noexcept:
    cdef const char *memory = PyBytes_AS_STRING(data)
    cdef Py_ssize_t at, found = 0
    for at in range(PyBytes_GET_SIZE(data)):
        found += memory[at] == octet
    return found

cdef inline Py_ssize_t find_head_end(bytes data, Py_ssize_t start) noexcept:
    return ecluse_find_head_end(PyBytes_AS_STRING(data), start, PyBytes_GET_SIZE(data))

cdef inline bytes cut(bytes data, Py_ssize_t start, Py_ssize_t end):
    if end > PyBytes_GET_SIZE(data):
        end = PyBytes_GET_SIZE(data)
    if start == 0 and end == PyBytes_GET_SIZE(data):
        return data
    if start >= end:
        return b""
    return PyBytes_FromStringAndSize(PyBytes_AS_STRING(data) + start, end - start)

cdef inline bint same(bytes data, Py_ssize_t start, Py_ssize_t end, bytes other) noexcept:
    cdef Py_ssize_t size = PyBytes_GET_SIZE(other)
    if end > PyBytes_GET_SIZE(data):
        end = PyBytes_GET_SIZE(data)
    return end - start == size and memcmp(PyBytes_AS_STRING(data) + start, PyBytes_AS_STRING(other), size) == 0

cdef inline bint only(bytes data, Py_ssize_t start, Py_ssize_t end, bytes table) noexcept:
    cdef const unsigned char *memory = <const unsigned char *>PyBytes_AS_STRING(data)
    cdef const unsigned char *allowed = <const unsigned char *>PyBytes_AS_STRING(table)
    cdef Py_ssize_t at
    for at in range(start, end):
        if not allowed[memory[at]]:
            return False
    return True

cdef inline bytes join(bytes data, Py_ssize_t end, bytes second, bytes third):
    cdef Py_ssize_t after = end + PyBytes_GET_SIZE(second), size = PyBytes_GET_SIZE(third)
    cdef bytes whole = PyBytes_FromStringAndSize(NULL, after + size)
    memcpy(PyBytes_AS_STRING(whole), PyBytes_AS_STRING(data), end)
    memcpy(PyBytes_AS_STRING(whole) + end, PyBytes_AS_STRING(second), after - end)
    memcpy(PyBytes_AS_STRING(whole) + after, PyBytes_AS_STRING(third), size)
    return whole

cdef inline bytes append(bytes first, bytes data, Py_ssize_t start):
    cdef Py_ssize_t before = PyBytes_GET_SIZE(first), size = PyBytes_GET_SIZE(data) - start
    cdef bytes whole = PyBytes_FromStringAndSize(NULL, before + size)
    memcpy(PyBytes_AS_STRING(whole), PyBytes_AS_STRING(first), before)
    memcpy(PyBytes_AS_STRING(whole) + before, PyBytes_AS_STRING(data) + start, size)
    return whole

cdef inline list noted_lines(bytes block, bytes noted):
    cdef const unsigned char *memory = <const unsigned char *>PyBytes_AS_STRING(block)
    cdef const unsigned char *wanted = <const unsigned char *>PyBytes_AS_STRING(noted)
    cdef Py_ssize_t size = PyBytes_GET_SIZE(block), at = 0, start, colon
    cdef list found = []
    # The octet after the end is always 0 (PyBytes), which is neither of a token nor of a value: no loop runs over it.
    while at < size:
        start = at
        while ecluse_kind[memory[at]] & 1:
            at += 1
        if at == start or memory[at] != 58:  # ":"
            return None
        colon = at
        at += 1
        while ecluse_kind[memory[at]] & 2:
            at += 1
        if memory[at] != 13 or memory[at + 1] != 10:
            return None
        at += 2
        if wanted[(colon - start) << 5 & 0x7E0 | memory[start] & 31]:
            found.append((start, colon, at))
    return found
