"""Who may do what: section 11 of the model, as one table. Checks, available actions and documents follow from it.

A row of a process names the same parties and grant for its act, and is proven against this table when the process is
built. What is no act of a process, such as bringing in orders, is checked straight against its row here.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from .refusal import Problem
from .rights import GRANTS, acts_as, denied
from .vocabulary import Actor, Party

BUYER, SELLER, PLATFORM, CARRIER, PARTNER = Party.BUYER, Party.SELLER, Party.PLATFORM, Party.CARRIER, Party.PARTNER


@dataclass(frozen=True, slots=True)
class Permission:
    """
    Args:
        handle: for documents and tests.
        what: in words.
        by: the parties that may; a buyer their own, a seller and an app for their shops.
        acts: of processes, and the names of mutations and queries that are no act of one.
        grant: what staff and apps need; owners and the platform have all, unless `of_platform` says otherwise.
        apps: whether an app may stand in for the seller, within its scopes.
        of_platform: whether the platform too needs the grant.
    """

    handle: str
    what: str
    by: Party
    acts: tuple[str, ...]
    grant: str = ""
    apps: bool = True
    of_platform: bool = False


# fmt: off
PERMISSIONS = (
    Permission("request",      "Ask for something, edit, cancel, ask again", BUYER | PLATFORM,
               ("open", "edit", "cancel", "resubmit")),
    Permission("review",       "Approve or reject at first review; refund instead of sending", SELLER | PLATFORM,
               ("approve", "approve_keep_item", "reject", "refund_instead"), "review"),
    Permission("inspect",      "Accept, reject or confirm the parcel that came back", SELLER | PLATFORM,
               ("mark_received", "accept_package", "reject_package", "confirm_package", "claim_package"), "inspect"),
    Permission("offer",        "Propose an offer", SELLER, ("offer_make",), "offer"),
    Permission("offer.answer", "Answer an offer", BUYER, ("offer_accept", "offer_decline")),
    Permission("ship",         "Arrange and send what goes out, or back to the buyer", SELLER | PLATFORM,
               ("arrange", "send", "send_back"), "ship"),
    Permission("return",       "Choose how goods come back, and send them", BUYER | PLATFORM,
               ("choose_method", "schedule_pickup", "upload_tracking")),
    Permission("dispute",      "Open a dispute", BUYER, ("dispute_open",)),
    Permission("dispute.end",  "Withdraw a dispute, or settle it for both (C14)", BUYER | PLATFORM,
               ("dispute_withdraw",)),
    Permission("dispute.show", "Give evidence in a dispute", BUYER | SELLER | PLATFORM,
               ("dispute_submit_evidence",), "review"),
    Permission("decide",       "Decide disputes and appeals, ask for evidence, close, refund without return", PLATFORM,
               ("platform_approve", "refund_without_return", "retry_refund", "close", "compensation_paid", "enforce",
                "revoke_enforcement", "grant_speedy", "dispute_request_evidence", "dispute_decide", "appeal_take_up",
                "appeal_request_evidence", "appeal_approve", "appeal_deny")),
    Permission("appeal",       "File or withdraw an appeal, add evidence", SELLER,
               ("appeal_file", "appeal_add_evidence", "appeal_withdraw"), "appeal"),
    Permission("collected",    "Tell that a canceled order was collected after all", PLATFORM | CARRIER,
               ("collected",)),
    Permission("carrier",      "Tell of parcels", CARRIER, ("carrierReport",)),
    Permission("refund",       "Refund unasked, up to the amount of the grant", SELLER,
               ("sellerRefundCreate",), "refund"),
    Permission("settings",     "Read, make and try the shop's own rules", SELLER,
               ("shopRules", "shopRulePreview", "shopRuleSave", "shopRuleRemove"), "settings", apps=False),
    Permission("evidence",     "Show evidence", BUYER | SELLER | PLATFORM,
               ("evidenceLink", "evidenceStage", "evidenceSubmit")),
    Permission("orders",       "Bring in orders: an app for its shops, the platform for all", PARTNER | PLATFORM,
               ("ordersImport",), "orders.import", of_platform=True),
    Permission("privacy",      "Erase a buyer's personal data", PLATFORM,
               ("privacyErase",), "privacy", of_platform=True),
)
# fmt: on

# What is read: whose records, and with which grant. Carriers look up any parcel; of the seller's side they see nothing.
SIGNED_IN = BUYER | SELLER | PLATFORM | CARRIER
# fmt: off
READINGS = (
    Permission("view",        "See requests and orders", SIGNED_IN,
               ("node", "nodes", "request", "requests", "requestCounts", "order", "eligibility", "requestOpenPreview",
                "requestActPreview", "RequestChanged", "DeadlineChanged", "RequestLeft", "StreamReset"), "view"),
    Permission("view.seller", "See appeals, compensation and the seller's notes", SELLER | PLATFORM,
               ("appeals", "AppealChanged"), "view"),
    Permission("view.common", "See what is the same for all who sign in", SIGNED_IN,
               ("me", "policies", "plugins", "StreamReady", "StreamHeartbeat")),
)
# fmt: on

OF_ACT = {act: permission for permission in (*PERMISSIONS, *READINGS) for act in permission.acts}


def may(actor: Actor, act: str) -> Iterator[Problem]:
    """Whether the actor may do at all what is no act of a process; which record it is about is another question."""
    permission = OF_ACT[act]
    in_person = bool(permission.by & PARTNER) or not permission.apps
    party = actor.party if in_person else acts_as(actor)
    bound = party in SELLER | PARTNER or permission.of_platform
    yield from denied(actor, party, permission.by, permission.grant, bound=bound)


def grant_for(act: str, by: Party) -> str:
    """What a row of a process need not say, as this table does."""
    permission = OF_ACT.get(act)
    return permission.grant if permission and by & SELLER else ""


def misfits(act: str, by: Party, grant: str) -> Iterator[str]:
    """What a row of a process says of its act that this table does not."""
    permission = OF_ACT.get(act)
    if permission is None:
        if grant and grant not in GRANTS:
            yield f"{act}: there is no grant {grant!r} that a seller's staff could hold"
        return
    for party in by & ~(permission.by | Party.SYSTEM):
        yield f"{act}: section 11 does not let the {party.title.lower()} do this"
    if by & SELLER and grant != permission.grant:
        yield f"{act}: section 11 asks for the grant {permission.grant!r}, not {grant!r}"
