"""RS256, with which Cognito signs its tokens and API Gateway checks them: RFC 8017's RSASSA-PKCS1-v1_5 with SHA-256.

ministack leaves both to a library that nothing else of this project needs: without it its tokens bear random bytes for
a signature, and none is ever let through. Keys are made by openssl.
"""

import base64
import hashlib
import json
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

_SHA256: Final = bytes.fromhex("3031300d060960864801650304020105000420")
"""What stands before a SHA-256 in a signature: its algorithm, as ASN.1."""
_NUMBER: Final = r"{}:\s+((?:[0-9a-f]{{2}}:?\s*)+)"


@dataclass(frozen=True)
class Key:
    """A private key of RSA."""

    modulus: int
    private_exponent: int
    public_exponent: int = 65537

    @property
    def jwk(self) -> dict[str, str]:
        """The public half, as a pool shows it."""
        parts = {"n": _packed(_bytes(self.modulus)), "e": _packed(_bytes(self.public_exponent))}
        identity = hashlib.sha256(json.dumps(parts).encode()).digest()
        return {"kty": "RSA", "alg": "RS256", "use": "sig", "kid": base64.b64encode(identity).decode(), **parts}

    def sign(self, header: Mapping[str, Any], claims: Mapping[str, Any]) -> str:
        """Return a token of this header and these claims."""
        signing = ".".join(_packed(json.dumps(part).encode()) for part in (header, claims))
        length = len(_bytes(self.modulus))
        digest = int.from_bytes(_padded(signing, length))
        return f"{signing}.{_packed(pow(digest, self.private_exponent, self.modulus).to_bytes(length))}"


@cache
def new_key(name: str) -> Key:
    """Return the key of that name, made when it is first asked for."""
    made = subprocess.run(["openssl", "genrsa", "2048"], check=True, capture_output=True)
    shown = subprocess.run(["openssl", "rsa", "-noout", "-text"], input=made.stdout, check=True, capture_output=True)
    numbers = [re.search(_NUMBER.format(part), shown.stdout.decode()) for part in ("modulus", "privateExponent")]
    modulus, private = (int(re.sub(r"[:\s]", "", found[1]), 16) for found in numbers if found)
    return Key(modulus, private)


def key_of_pool(pool_id: str, use: str) -> Key:
    """Return the key with which a pool signs its access tokens, or its id tokens."""
    return new_key(f"{pool_id} {use}")


def signed(claims: dict[str, Any], pool_id: str = "", use: str = "") -> str:
    """Return a pool's token; the arguments are those of ministack's own way to make one."""
    key = key_of_pool(pool_id, use)
    return key.sign({"kid": key.jwk["kid"], "alg": "RS256"}, claims)


def verified(token: str, jwk: Mapping[str, str]) -> bool:
    """Say whether a token was signed with the key whose public half that is."""
    signing, _, signature = token.rpartition(".")
    try:
        modulus, exponent, given = (_unpacked(part) for part in (jwk["n"], jwk["e"], signature))
    except ValueError:
        return False
    number = int.from_bytes(given)
    if len(given) != len(modulus) or number >= int.from_bytes(modulus):
        return False
    found = pow(number, int.from_bytes(exponent), int.from_bytes(modulus)).to_bytes(len(modulus))
    return found == _padded(signing, len(modulus))


def _padded(signing: str, length: int) -> bytes:
    digest = _SHA256 + hashlib.sha256(signing.encode()).digest()
    return b"\x00\x01" + b"\xff" * (length - len(digest) - 3) + b"\x00" + digest


def _bytes(number: int) -> bytes:
    return number.to_bytes(-(-number.bit_length() // 8))


def _packed(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _unpacked(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
