# C types for the compiled build of forwarding.py; the interpreted one does not read this file.

cimport cython
from balancer.hotpath.fields cimport RequestBlock

@cython.locals(addresses=bytes, proto=bytes, authority=bytes, element=bytes, parts=list)
cpdef bytes added_fields(RequestBlock block, bytes peer, int minor, bint trusted)
@cython.locals(before=bytes, after=bytes)
cpdef bytes forwarded_element(bytes peer, bytes authority)
cpdef bytes connection_fields(RequestBlock block, int minor)
