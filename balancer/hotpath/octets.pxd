# The compiled build's side of octets.py: the same functions, on memory. What they do is said there.

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.string cimport memchr, memcmp, memcpy

cdef extern from *:
    """
    #include <string.h>

    /* RFC 9110 section 5.6.2 and RFC 9112 section 5: 1 is an octet of a token, 2 one of a field value. */
    static unsigned char ecluse_kind[256];

    __attribute__((constructor)) static void ecluse_fill_kinds(void) {
        const char *token = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        for (; *token; token++) ecluse_kind[(unsigned char)*token] |= 1;
        for (int octet = 0x20; octet < 0x100; octet++)
            if (octet != 0x7f) ecluse_kind[octet] |= 2;
        ecluse_kind['\\t'] |= 2;
    }

    static Py_ssize_t ecluse_count(const char *data, int octet, Py_ssize_t size) {
        const char *end = data + size;
        Py_ssize_t found = 0;
        while ((data = memchr(data, octet, end - data))) data++, found++;
        return found;
    }

    /* From line end to line end, which memchr finds faster than memmem finds the whole mark. */
    static Py_ssize_t ecluse_find_head_end(const char *data, Py_ssize_t start, Py_ssize_t size) {
        const char *at = data + start, *last = data + size - 3;
        while (at < last && (at = memchr(at, '\\r', last - at))) {
            if (at[1] == '\\n' && at[2] == '\\r' && at[3] == '\\n') return at - data;
            at++;
        }
        return -1;
    }

    static void ecluse_changed_lines(
        const char *old, Py_ssize_t old_size, const char *new, Py_ssize_t new_size,
        Py_ssize_t *start, Py_ssize_t *old_end, Py_ssize_t *new_end
    ) {
        Py_ssize_t most = old_size < new_size ? old_size : new_size, before = 0, after = 0;
        while (before + 8 <= most && memcmp(old + before, new + before, 8) == 0) before += 8;
        while (before < most && old[before] == new[before]) before++;
        most -= before;
        while (after + 8 <= most && memcmp(old + old_size - after - 8, new + new_size - after - 8, 8) == 0) after += 8;
        while (after < most && old[old_size - after - 1] == new[new_size - after - 1]) after++;
        while (before && old[before - 1] != '\\n') before--;
        if (!((old_size == after || old[old_size - after - 1] == '\\n') && (new_size == after || new[new_size - after - 1] == '\\n'))) {
            const char *line_end = memchr(old + old_size - after, '\\n', after);
            after = line_end ? old + old_size - (line_end + 1) : 0;
        }
        *start = before;
        *old_end = old_size - after;
        *new_end = new_size - after;
    }

    static void ecluse_lower(char *data, Py_ssize_t size) {
        for (; size > 0; size--, data++)
            if (*data >= 'A' && *data <= 'Z') *data |= 0x20;
    }
    """
    const unsigned char *ecluse_kind
    Py_ssize_t ecluse_count(const char *data, int octet, Py_ssize_t size) nogil
    void ecluse_changed_lines(
        const char *old, Py_ssize_t old_size, const char *new, Py_ssize_t new_size,
        Py_ssize_t *start, Py_ssize_t *old_end, Py_ssize_t *new_end
    ) nogil
    void ecluse_lower(char *data, Py_ssize_t size) nogil
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
    return ecluse_count(PyBytes_AS_STRING(data), octet, PyBytes_GET_SIZE(data))

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

cdef inline bytes lower(bytes data, Py_ssize_t start, Py_ssize_t end):
    cdef bytes found = PyBytes_FromStringAndSize(PyBytes_AS_STRING(data) + start, end - start)
    if end - start > 1:  # a single octet is an object that others share
        ecluse_lower(PyBytes_AS_STRING(found), end - start)
        return found
    return found.lower()

cdef inline bytes trimmed(bytes data, Py_ssize_t start, Py_ssize_t end):
    cdef const char *memory = PyBytes_AS_STRING(data)
    while start < end and (memory[start] == 32 or memory[start] == 9):
        start += 1
    while end > start and (memory[end - 1] == 32 or memory[end - 1] == 9):
        end -= 1
    return PyBytes_FromStringAndSize(memory + start, end - start)

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

cdef inline bytes without(bytes data, Py_ssize_t start, Py_ssize_t end):
    cdef Py_ssize_t after = PyBytes_GET_SIZE(data) - end
    cdef bytes whole = PyBytes_FromStringAndSize(NULL, start + after)
    memcpy(PyBytes_AS_STRING(whole), PyBytes_AS_STRING(data), start)
    memcpy(PyBytes_AS_STRING(whole) + start, PyBytes_AS_STRING(data) + end, after)
    return whole

cdef inline tuple changed_lines(bytes old, bytes new):
    cdef Py_ssize_t start, old_end, new_end
    ecluse_changed_lines(PyBytes_AS_STRING(old), PyBytes_GET_SIZE(old), PyBytes_AS_STRING(new), PyBytes_GET_SIZE(new), &start, &old_end, &new_end)
    return (start, old_end, new_end)

cdef inline list noted_lines(bytes block, Py_ssize_t begin, Py_ssize_t size, bytes noted):
    cdef const unsigned char *memory = <const unsigned char *>PyBytes_AS_STRING(block)
    cdef const unsigned char *wanted = <const unsigned char *>PyBytes_AS_STRING(noted)
    cdef Py_ssize_t at = begin, start, colon
    cdef list found = []
    # The octet after the last one is always 0 (PyBytes), which is neither of a token nor of a value: no loop runs over it.
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
        if at > size:
            return None
        if wanted[(colon - start) << 5 & 0x7E0 | memory[start] & 31]:
            found.append((start, colon, at))
    return found
