"""Where the log goes: to stderr, as text for people or as JSON for machines."""

import json
import logging
from datetime import UTC, datetime

from ..settings import LogFormat, LogLevel, Settings

# They tell of every start and every request; what matters of that, we say ourselves. And they quote what is sent and
# asked, tokens and all: that is never said, at whatever level.
TALKATIVE = ("uvicorn", "websockets", "httpx", "httpcore", "asyncio", "tortoise")


def configure(settings: Settings) -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(AsJSON() if settings.log_format is LogFormat.JSON else AsText())
    logging.basicConfig(level=settings.log_level.value.upper(), handlers=[handler], force=True)
    for name in TALKATIVE:
        if settings.log_level in (LogLevel.INFO, LogLevel.DEBUG):
            logging.getLogger(name).setLevel(logging.INFO if settings.log_level is LogLevel.DEBUG else logging.WARNING)


class AsText(logging.Formatter):
    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")


class AsJSON(logging.Formatter):
    """One object a line."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)
