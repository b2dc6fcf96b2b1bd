"""Addresses that open one file for a while: whoever holds one may use it, and nobody can make one up."""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum

PATH = "/evidence"

_SECONDS = re.compile(r"[1-9][0-9]{0,10}", re.ASCII)
_PURPOSE = b"aftersales: addresses of evidence, 1"


class Use(Enum):
    """An address that uploads does not download, nor the other way round."""

    UPLOAD = "upload"
    DOWNLOAD = "download"


@dataclass(frozen=True, slots=True)
class Addresses:
    """
    Args:
        upload_for, download_for: how long an address is good for, in the server's time.
    """

    key: bytes = field(repr=False)
    upload_for: timedelta
    download_for: timedelta

    def made(self, use: Use, id: str, until: datetime) -> str:
        """Path and query; `until` has no fraction of a second."""
        seconds = str(int(until.timestamp()))
        return f"{PATH}/{id}?until={seconds}&signature={self._signature(use, id, seconds)}"

    def until(self, use: Use, id: str, seconds: str, signature: str) -> datetime | None:
        """Until when the address is good; None if it is none of ours."""
        expected = self._signature(use, id, seconds).encode()
        # compared in the same time however much of it is right, so that it cannot be found byte by byte
        if not hmac.compare_digest(expected, signature.encode("utf-8", "replace")) or not _SECONDS.fullmatch(seconds):
            return None
        return datetime.fromtimestamp(int(seconds), UTC)

    def _signature(self, use: Use, id: str, seconds: str) -> str:
        # line ends part the fields: none of them may have one, as `until` takes digits only and our ids have none
        text = "\n".join((use.value, seconds, id)).encode("utf-8", "replace")
        return hmac.new(self.key, text, hashlib.sha256).hexdigest()


def whole_second(at: datetime) -> datetime:
    return at.replace(microsecond=0)


def key_from(secret: str | None) -> bytes:
    """The same for the same secret, so that addresses outlive a restart; without one, new for each process."""
    if secret is None:
        return secrets.token_bytes(32)
    return hmac.digest(secret.encode(), _PURPOSE, "sha256")
