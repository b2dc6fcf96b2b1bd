"""The address that a server listens on, alone or with others."""

import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager

# Unread for so long, a connection is dropped by the system, whatever still waits in its buffers.
UNREAD_SECONDS = 30
BACKLOG = 2048


def bound(host: str, port: int, *, shared: bool = False) -> socket.socket:
    """
    Args:
        shared: with others of the same user who do so too. The system then hands each connection to one of them by
            chance, so that long-lived ones are spread evenly. From one socket that all inherit, whoever wakes first
            would take all that wait, and mostly be the same.

    Raises:
        OSError.
    """
    listener = socket.create_server((host, port), family=_family(host), backlog=BACKLOG, reuse_port=shared)
    if sys.platform == "linux":
        # inherited by every connection that is accepted
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNREAD_SECONDS * 1000)
    return listener


@contextmanager
def reserved(host: str, port: int) -> Iterator[tuple[str, int]]:
    """The address, kept for those who will share it though none of them may live; it takes no connection itself.

    Raises:
        OSError: somebody listens there already, be it somebody who would share.
    """
    with bound(host, port) as alone:
        port = alone.getsockname()[1]
    with socket.socket(_family(host)) as keeper:
        keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        keeper.bind((host, port))
        yield address(keeper), port


def address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET
