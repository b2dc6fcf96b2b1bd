"""What tests need and the machine lacks: they are left out, and the summary says so; where CI decides, they fail."""

import os
from typing import NoReturn

import pytest


def left_out(reason: object) -> NoReturn:
    if os.environ.get("CI") == "true":
        pytest.fail(str(reason))
    pytest.skip(str(reason))
