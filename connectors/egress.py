"""Which addresses we may connect to, so that a configured or received URL cannot reach inside a network.

A name is resolved once, every address it has is checked, and the connection goes to a checked
address: what is resolved again later cannot change the answer (DNS rebinding).
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TypeAlias

from connectors.errors import PauseConnection

_Address: TypeAlias = IPv4Address | IPv6Address
_Network: TypeAlias = IPv4Network | IPv6Network
Resolve: TypeAlias = Callable[[str, int], Awaitable[Sequence[str]]]
"""(host, port) -> its addresses; raises OSError where there are none."""

_REMEMBERED_S = 30.0

_METADATA = tuple(
    ip_network(text)
    for text in (
        "169.254.169.254",  # AWS, Azure, Google and most others
        "169.254.170.0/24",  # AWS container credentials
        "fd00:ec2::/32",  # AWS over IPv6
        "fd20:ce::254",  # Google over IPv6
        "100.100.100.200",  # Alibaba
        "192.0.0.192",  # Oracle
        "168.63.129.16",  # Azure's host
    )
)
_NOT_PUBLIC = tuple(
    ip_network(text)
    for text in ("192.0.0.0/24", "fec0::/10", "2001::/32", "64:ff9b:1::/48")  # is_global says True to some
)
_NAT64 = ip_network("64:ff9b::/96")
_V4_COMPATIBLE = ip_network("::/96")
_LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1"))


async def resolve(host: str, port: int) -> Sequence[str]:
    """The addresses of a host by the system's resolver, without repetition."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(address[0]) for *_, address in found))


class Egress:
    """The guard of outgoing connections.

    Public addresses are open. Private, loopback, link-local and other special addresses are refused
    unless listed; those of cloud metadata services are refused even then.

    Args:
        allow: hosts (``ghe.corp.local``), hosts with a port (``127.0.0.1:8080``, ``[::1]:8080``) and
            networks (``10.1.0.0/16``) that may be private. ``localhost`` stands for every loopback address.
        resolve: how names become addresses.
    """

    def __init__(self, allow: Iterable[str] = (), *, resolve: Resolve = resolve) -> None:
        self._networks: list[_Network] = []
        self._hosts: set[tuple[str, int | None]] = set()
        for entry in allow:
            self._list(entry.strip().lower())
        self._resolve = resolve
        self._remembered: dict[tuple[str, int], tuple[float, Sequence[str]]] = {}

    async def addresses(self, host: str, port: int) -> Sequence[str]:
        """Checked addresses of the host, at least one, in the resolver's order.

        Raises:
            OSError: the name has no address now.
            PauseConnection: none of its addresses may be reached.
        """
        now = time.monotonic()
        until, known = self._remembered.get((host, port), (0.0, ()))
        if now < until:
            return known
        found = [host] if _literal(host) else await self._resolve(host, port)
        permitted = tuple(address for address in found if self.permits(address, host, port))
        if not permitted:
            raise PauseConnection(
                f"{host} leads to the internal address {', '.join(found)}: "
                "list it in ASANA_SYNC_ALLOW_PRIVATE_HOSTS if that is meant"
            )
        self._remembered[host, port] = (now + _REMEMBERED_S, permitted)
        return permitted

    def permits(self, address: str, host: str, port: int) -> bool:
        """Whether we may connect to this address of the host. Pure."""
        ip = _innermost(ip_address(address))
        if _within(ip, _METADATA):
            return False
        if _is_public(ip) or _within(ip, self._networks):
            return True
        names = (host.lower().rstrip("."), str(ip))
        return any((name, listed) in self._hosts for name in names for listed in (port, None))

    def _list(self, entry: str) -> None:
        if entry == "localhost":
            self._networks.extend(_LOOPBACK)
        try:
            self._networks.append(ip_network(entry.strip("[]"), strict=False))
        except ValueError:
            host, colon, port = entry.rpartition(":")
            if colon and port.isdecimal():
                self._hosts.add((host.strip("[]"), int(port)))
            else:
                self._hosts.add((entry, None))


def _literal(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _innermost(ip: _Address) -> _Address:
    """The IPv4 address that an IPv6 address leads to by mapping or translation, else itself."""
    if isinstance(ip, IPv4Address):
        return ip
    if ip.ipv4_mapped is not None:
        return ip.ipv4_mapped
    if ip.sixtofour is not None:
        return ip.sixtofour
    if ip in _NAT64 or (ip in _V4_COMPATIBLE and int(ip) > 1):
        return IPv4Address(int(ip) & 0xFFFF_FFFF)
    return ip


def _within(ip: _Address, networks: Iterable[_Network]) -> bool:
    return any(ip.version == network.version and ip in network for network in networks)


def _is_public(ip: _Address) -> bool:
    return ip.is_global and not ip.is_multicast and not _within(ip, _NOT_PUBLIC)
