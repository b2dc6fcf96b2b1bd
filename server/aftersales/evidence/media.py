"""What a file must begin with to be what it is said to be. Known formats only, and none that a browser would run."""

from collections.abc import Callable

# As much of a file as must be seen.
FIRST = 64

Looks = Callable[[bytes], bool]


def looks_like(media_type: str, first: bytes) -> bool:
    """
    Args:
        first: the first `FIRST` bytes, or all there are.
    """
    return SIGNATURES[media_type](first)


def _begins(*with_one_of: bytes) -> Looks:
    return lambda first: first.startswith(with_one_of)


def _branded(*brands: bytes) -> Looks:
    """Boxes of ISO 14496-12: the first says by which brands the file can be read, the main one and others."""

    def looks(first: bytes) -> bool:
        if first[4:8] != b"ftyp":
            return False
        size = min(int.from_bytes(first[:4], "big"), len(first))
        named = [first[8:12], *(first[place : place + 4] for place in range(16, size - 3, 4))]
        return any(brand.startswith(brands) for brand in named)

    return looks


def _quicktime(first: bytes) -> bool:
    # older cameras write no brands: the file begins with the film, or with room for it
    return first[4:8] in (b"moov", b"mdat", b"wide", b"free", b"skip") or _branded(b"qt  ")(first)


# fmt: off
SIGNATURES: dict[str, Looks] = {
    "image/jpeg":      _begins(b"\xff\xd8\xff"),
    "image/png":       _begins(b"\x89PNG\r\n\x1a\n"),
    "image/webp":      lambda first: first.startswith(b"RIFF") and first[8:12] == b"WEBP",
    "image/heic":      _branded(b"hei", b"hev"),
    "image/heif":      _branded(b"mif1", b"msf1", b"hei", b"hev"),
    "image/avif":      _branded(b"avif", b"avis"),
    "video/mp4":       _branded(b"mp4", b"iso", b"avc1", b"dash", b"M4V", b"MSNV"),
    "video/quicktime": _quicktime,
    "video/3gpp":      _branded(b"3gp", b"3gr", b"3gs"),
    "video/webm":      lambda first: first.startswith(b"\x1aE\xdf\xa3") and b"webm" in first,
    "application/pdf": _begins(b"%PDF-"),
}
# What a browser may show in place; all else it is told to save.
SHOWN = frozenset(name for name in SIGNATURES if name.startswith("image/"))
ENDINGS = {
    "image/jpeg": "jpg", "image/png": "png", "image/webp": "webp", "image/heic": "heic", "image/heif": "heif",
    "image/avif": "avif", "video/mp4": "mp4", "video/quicktime": "mov", "video/3gpp": "3gp", "video/webm": "webm",
    "application/pdf": "pdf",
}
# fmt: on


def disposition(id: str, media_type: str) -> str:
    """The Content-Disposition of a file, under a name of ours."""
    how = "inline" if media_type in SHOWN else "attachment"
    return f'{how}; filename="{id}.{ENDINGS.get(media_type, "bin")}"'
