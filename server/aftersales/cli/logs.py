"""Where the log goes: to stderr, as text for people or as JSON for machines."""

import json
import logging
from datetime import UTC, datetime

from ..settings import LogFormat, LogLevel, Settings
from ..watching.handling import current

# They tell of every start and every request; what matters of that, we say ourselves. And they quote what is sent and
# asked, tokens and all: that is never said, at whatever level.
TALKATIVE = ("uvicorn", "websockets", "httpx", "httpcore", "asyncio", "tortoise", "urllib3")

IDS = ("request", "trace")


def configure(settings: Settings) -> None:
    handler = logging.StreamHandler()
    handler.addFilter(about)
    handler.setFormatter(AsJSON() if settings.log_format is LogFormat.JSON else AsText())
    logging.basicConfig(level=settings.log_level.value.upper(), handlers=[handler], force=True)
    for name in TALKATIVE:
        if settings.log_level in (LogLevel.INFO, LogLevel.DEBUG):
            logging.getLogger(name).setLevel(logging.INFO if settings.log_level is LogLevel.DEBUG else logging.WARNING)


def about(record: logging.LogRecord) -> bool:
    """Which request the line belongs to, and which trace. Ours, or of a form that can say nothing else."""
    handled = current.get()
    record.request_id = handled.request_id if handled else ""
    record.trace_id = handled.trace_id if handled else ""
    return True


class AsText(logging.Formatter):
    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s%(told)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        told = [f"{name} {id}" for name in IDS if (id := getattr(record, f"{name}_id", ""))]
        record.told = f" [{', '.join(told)}]" if told else ""
        return super().format(record)


class AsJSON(logging.Formatter):
    """One object a line."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **{f"{name}_id": id for name in IDS if (id := getattr(record, f"{name}_id", ""))},
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)
