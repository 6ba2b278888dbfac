"""A passkey in software: what a browser and its authenticator would answer, right or wrong on purpose."""

from __future__ import annotations

import hashlib
import json
import os
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2.cose import ES256
from fido2.utils import websafe_encode
from fido2.webauthn import Aaguid, AttestationObject, AttestedCredentialData, AuthenticatorData


class SoftPasskey:
    def __init__(self, host: str = "testserver") -> None:
        self.host, self.key, self.id = host, ec.generate_private_key(ec.SECP256R1()), os.urandom(16)

    def created(self, challenge: str, *, verified: bool = True, origin: str = "") -> str:
        """What goes into the field “credential” when it is added."""
        public = ES256.from_cryptography_key(self.key.public_key())
        data = self._data(verified, AttestedCredentialData.create(Aaguid(bytes(16)), self.id, public))
        return self._answer(
            "webauthn.create", challenge, origin, attestationObject=AttestationObject.create("none", data, {})
        )

    def used(self, challenge: str, *, verified: bool = True, origin: str = "", other_key: bool = False) -> str:
        """What goes into it at a sign-in."""
        data = self._data(verified)
        told = self._client("webauthn.get", challenge, origin)
        key = ec.generate_private_key(ec.SECP256R1()) if other_key else self.key
        signature = key.sign(data + hashlib.sha256(told).digest(), ec.ECDSA(hashes.SHA256()))
        return self._answer("webauthn.get", challenge, origin, authenticatorData=data, signature=signature)

    def _data(self, verified: bool, credential: Any = b"") -> AuthenticatorData:
        flags = AuthenticatorData.FLAG.UP
        flags |= AuthenticatorData.FLAG.UV if verified else flags
        flags |= AuthenticatorData.FLAG.AT if credential else flags
        return AuthenticatorData.create(hashlib.sha256(self.host.encode()).digest(), flags, 0, credential)

    def _client(self, kind: str, challenge: str, origin: str) -> bytes:
        return json.dumps({"type": kind, "challenge": challenge, "origin": origin or f"https://{self.host}"}).encode()

    def _answer(self, kind: str, challenge: str, origin: str, **response: bytes) -> str:
        parts = {"clientDataJSON": self._client(kind, challenge, origin), **response}
        name = websafe_encode(self.id)
        told = {one: websafe_encode(bytes(value)) for one, value in parts.items()}
        return json.dumps(
            {"id": name, "rawId": name, "type": "public-key", "response": told, "clientExtensionResults": {}}
        )
