"""A file is taken for what it begins as, never for what it is called."""

import pytest

from aftersales.evidence.media import ENDINGS, SIGNATURES, disposition, looks_like
from aftersales.graphql.evidence import MEDIA_TYPES

# How files of each type really begin.
# fmt: off
BEGINNINGS = {
    "image/jpeg":      [b"\xff\xd8\xff\xe0\x00\x10JFIF", b"\xff\xd8\xff\xe1\x00\x10Exif"],
    "image/png":       [b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"],
    "image/webp":      [b"RIFF\x24\x00\x00\x00WEBPVP8 "],
    "image/heic":      [b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic",
                        b"\x00\x00\x00\x18ftypmif1\x00\x00\x00\x00mif1heic"],
    "image/heif":      [b"\x00\x00\x00\x14ftypmif1\x00\x00\x00\x00mif1"],
    "image/avif":      [b"\x00\x00\x00\x1cftypavif\x00\x00\x00\x00avifmif1miaf"],
    "video/mp4":       [b"\x00\x00\x00\x20ftypisom\x00\x00\x02\x00isomiso2avc1mp41",
                        b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom"],
    "video/quicktime": [b"\x00\x00\x00\x14ftypqt  \x00\x00\x02\x00qt  ", b"\x00\x00\x00\x08wide\x00\x00\x00\x00mdat"],
    "video/3gpp":      [b"\x00\x00\x00\x1cftyp3gp4\x00\x00\x02\x003gp4isom3gp6"],
    "video/webm":      [b"\x1aE\xdf\xa3\x9fB\x86\x81\x01B\xf7\x81\x01B\xf2\x81\x04B\xf3\x81\x08B\x82\x84webm"],
    "application/pdf": [b"%PDF-1.7\n"],
}
# fmt: on
FOREIGN = (
    b"",
    b"\x00" * 64,
    b"<html><script>",
    b"<svg xmlns=",
    b"<?xml version",
    b"MZ\x90\x00",
    b"PK\x03\x04",
    b"#!/bin/sh",
    b"GIF89a",
    b"RIFF\x24\x00\x00\x00WAVEfmt ",
    b"\x1aE\xdf\xa3\x9fB\x82\x88matroska",
    b" %PDF-1.7",
    b"\xff\xd8",
    b"\x00\x00\x00\x14ftypzzzz\x00\x00\x00\x00zzzz",
    b"\xff\xff\xff\xffftyp",
)  # fmt: skip


def test_every_media_type_that_is_taken_can_be_told() -> None:
    taken = frozenset[str]().union(*MEDIA_TYPES.values())

    assert SIGNATURES.keys() == ENDINGS.keys() == BEGINNINGS.keys() == taken


@pytest.mark.parametrize("media_type", SIGNATURES)
def test_a_file_of_a_type_is_known_by_how_it_begins(media_type: str) -> None:
    assert [first for first in BEGINNINGS[media_type] if not looks_like(media_type, first)] == []


@pytest.mark.parametrize("media_type", SIGNATURES)
def test_what_is_no_such_file_is_not_taken_for_one(media_type: str) -> None:
    assert [first for first in FOREIGN if looks_like(media_type, first)] == []


@pytest.mark.parametrize("media_type", ["image/jpeg", "image/png", "image/webp", "application/pdf", "video/webm"])
def test_another_type_is_not_taken_for_this_one(media_type: str) -> None:
    others = [first for name, all in BEGINNINGS.items() if name != media_type for first in all]

    assert [first for first in others if looks_like(media_type, first)] == []


def test_only_pictures_are_shown_in_place() -> None:
    assert disposition("ed_1", "image/png") == 'inline; filename="ed_1.png"'
    assert disposition("ed_1", "application/pdf") == 'attachment; filename="ed_1.pdf"'
    assert disposition("ed_1", "video/mp4").startswith("attachment")
