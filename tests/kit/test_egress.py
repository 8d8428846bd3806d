"""The egress guard: which addresses are never connected to, whatever they are dressed as."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from connectors.egress import Egress
from connectors.errors import PauseConnection

INTERNAL = (
    "127.0.0.1",
    "10.1.2.3",
    "192.168.0.1",
    "172.16.0.1",
    "100.64.0.1",
    "169.254.1.1",
    "0.0.0.0",
    "224.0.0.1",
    "255.255.255.255",
    "192.0.0.8",
    "::",
    "::1",
    "fe80::1",
    "fc00::1",
    "fec0::1",
    "ff0e::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b:1::7f00:1",
    "2002:7f00:1::",
    "2002:a00:1::",
    "2001::1",
)
METADATA = (
    "169.254.169.254",
    "fd00:ec2::254",
    "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "2002:a9fe:a9fe::",
    "::169.254.169.254",
    "100.100.100.200",
    "192.0.0.192",
    "169.254.170.2",
)
PUBLIC = ("140.82.121.4", "2606:50c0:8000::153", "64:ff9b::8c52:7904")


class Names:
    """A resolver that counts; each look-up takes the next answer."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked = 0

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked += 1
        return self.answers.pop(0)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_open(address: str) -> None:
    assert Egress().permits(address, "api.example.com", 443)


@pytest.mark.parametrize("address", INTERNAL)
def test_internal_addresses_are_refused(address: str) -> None:
    assert not Egress().permits(address, "api.example.com", 443)


@pytest.mark.parametrize("address", METADATA)
def test_metadata_is_refused_even_where_listed(address: str) -> None:
    everything = Egress(["0.0.0.0/0", "::/0", "metadata", address, f"[{address}]:80"])
    assert not everything.permits(address, "metadata", 80)


@pytest.mark.parametrize(
    ("entry", "address", "host", "port", "permitted"),
    [
        ("ghe.corp.local", "10.0.0.1", "ghe.corp.local", 443, True),
        ("GHE.corp.local ", "10.0.0.1", "ghe.CORP.local.", 443, True),
        ("ghe.corp.local", "10.0.0.1", "other.corp.local", 443, False),
        ("ghe.corp.local:8443", "10.0.0.1", "ghe.corp.local", 8443, True),
        ("ghe.corp.local:8443", "10.0.0.1", "ghe.corp.local", 443, False),
        ("10.0.0.0/8", "10.9.9.9", "ghe.corp.local", 443, True),
        ("10.0.0.0/8", "::ffff:10.9.9.9", "ghe.corp.local", 443, True),
        ("10.0.0.0/8", "192.168.0.1", "ghe.corp.local", 443, False),
        ("127.0.0.1", "127.0.0.1", "localhost", 80, True),
        ("127.0.0.1:80", "127.0.0.1", "127.0.0.1", 80, True),
        ("127.0.0.1:80", "127.0.0.1", "127.0.0.1", 81, False),
        ("localhost", "127.0.0.1", "127.0.0.1", 80, True),
        ("localhost", "::1", "localhost", 80, True),
        ("[::1]:80", "::1", "::1", 80, True),
        ("[::1]", "::1", "::1", 8080, True),
        ("fd12::/16", "fd12::7", "ghe.corp.local", 443, True),
    ],
)
def test_lists(entry: str, address: str, host: str, port: int, permitted: bool) -> None:
    assert Egress([entry]).permits(address, host, port) is permitted


async def test_every_address_of_a_name_is_checked() -> None:
    names = Names(["10.0.0.1", "140.82.121.4"])
    assert await Egress(resolve=names).addresses("two.example.com", 443) == ("140.82.121.4",)


async def test_a_name_that_leads_inside_is_refused() -> None:
    with pytest.raises(PauseConnection, match=r"inside\.example\.com .*10\.0\.0\.1.*ALLOW_PRIVATE_HOSTS"):
        await Egress(resolve=Names(["10.0.0.1"])).addresses("inside.example.com", 443)


async def test_a_name_is_resolved_once() -> None:
    """What the attacker's name server says a moment later changes nothing (DNS rebinding)."""
    names = Names(["140.82.121.4"], ["127.0.0.1"])
    egress = Egress(resolve=names)
    for _ in range(3):
        assert await egress.addresses("rebound.example.com", 443) == ("140.82.121.4",)
    assert names.asked == 1


@pytest.mark.parametrize("host", ["127.1", "2130706433", "0x7f.1"])
async def test_other_spellings_of_loopback(host: str) -> None:
    with pytest.raises(PauseConnection):
        await Egress().addresses(host, 80)
