# C types for the compiled build of fields.py; the interpreted one does not read this file.

cdef class RequestBlock:
    cdef public bytes authority, host, upgrade, user_agent, referer, forwarded_for, forwarded_proto
    cdef public bytes forwarded_host, forwarded, hearsay, kept
    cdef public long long hosts, length, max_forwards
    cdef public bint chunked, close, keep_alive, expects, trailers, wants_json

cdef class ResponseBlock:
    cdef public long long status, minor, length, idle_us
    cdef public bint chunked, close, keep_alive, dated
    cdef public bytes line, upgrade, kept, kept_without_length, usual
