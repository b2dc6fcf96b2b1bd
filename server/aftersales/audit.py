"""Who did what that no request's history tells of: a line in the server's log, for whoever must answer for it."""

import logging

from .engine.vocabulary import Actor

log = logging.getLogger("aftersales.audit")


def audited(actor: Actor, act: str, about: str) -> None:
    """
    Args:
        act: as the permissions name it.
        about: ids and counts; nothing that a person has said or is called.
    """
    through = f" through {actor.client}" if actor.client else ""
    log.info("%s by %s %s%s: %s", act, actor.party.title.lower(), actor.id, through, about)
