"""The process that `aftersales serve --demo` starts to have its world made: `python -m aftersales.demo PATH SEED`."""

import asyncio
import sys
from pathlib import Path

from ..settings import read
from .making import make

if __name__ == "__main__":
    try:
        asyncio.run(make(Path(sys.argv[1]), read(), int(sys.argv[2])))
    except KeyboardInterrupt:
        sys.exit(130)
    except OSError as error:
        sys.exit(str(error))
