# C types for the compiled build of pick.py; the interpreted one does not read this file.

cimport cython
from balancer.hotpath.replica cimport Replica
from balancer.hotpath.row cimport Row

cpdef Replica pick(long long policy, list candidates, Row row, object random)
@cython.locals(first=Replica, second=Replica)
cpdef Replica pick_p2c(list candidates, Row row, object random)
@cython.locals(replica=Replica, total="long long", left="long long")
cpdef Replica pick_weighted(list candidates, object random)
