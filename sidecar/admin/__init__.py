"""The admin API: what the controller shows and lets others do, over HTTP. `serve` starts it.

It only translates between HTTP and `sidecar.views.Control`: nothing is decided here, and no state is kept but open streams.
"""

from sidecar.admin.listener import Admin, AdminError, serve

__all__ = ["Admin", "AdminError", "serve"]
