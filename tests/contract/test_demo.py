"""Every published operation does what it says against the demo, by whoever may do it there."""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from tests.processes import Server, serving

OPERATIONS = {path.stem: path for path in (Path(__file__).parents[2] / "schema" / "operations").glob("*.graphql")}
AGENT, DEWI, MAWAR = "agent: Bima", "buyer: Dewi", "seller: Mawar Official"
APP, CARRIER = "partner: an app of two shops", "carrier: JNE"
RO, RR = {"kinds": ["refund_only"]}, {"kinds": ["return_refund"]}
REVIEW, TO_SHIP, ON_ITS_WAY = (
    {"stages": [stage]} for stage in ("pending_review", "awaiting_buyer_ship", "return_in_transit")
)
TRACKING = {"carrier": "JNE", "tracking": "JNE0000000001"}
FILE = {
    "kind": "PHOTO",
    "url": "https://files.example/1.jpg",
    "mediaType": "image/jpeg",
    "bytes": 1000,
    "sha256": "0" * 64,
}

# Mutations on a request: by whom, on which, how it has come to be sent back, and what the act brings.
# fmt: off
ACTS: dict[str, tuple[str, Mapping[str, Any], str | None, Mapping[str, Any]]] = {
    "RefundOnlyApprove":           (MAWAR, RO | REVIEW,     None,            {}),
    "RequestCancel":               (AGENT, REVIEW,          None,            {}),
    "RequestClose":                (AGENT, REVIEW,          None,            {"note": "Settled on the phone."}),
    "RequestEdit":                 (AGENT, RO | REVIEW | {"reasons": ["not_received"]}, None,
                                    {"reason": "other", "note": "It is here, and broken."}),
    "RequestPlatformApprove":      (AGENT, REVIEW,          None,            {}),
    "RequestRefundWithoutReturn":  (AGENT, TO_SHIP,         None,            {}),
    "RequestReject":               (MAWAR, REVIEW,          None,            {"reason": "unclear_or_no_evidence"}),
    "RequestResubmit":             (AGENT, {"stages": ["rejected"], "reasons": ["other"]}, None,
                                    {"reason": "other", "note": "Look again."}),
    "RequestRetryRefund":          (AGENT, {"stages": ["refunding"]}, None,  {}),
    "ReturnAcceptPackage":         (AGENT, {"stages": ["pending_inspection"]}, None, {}),
    "ReturnChooseMethod":          (AGENT, TO_SHIP,         "DROP_OFF",      {"method": "SELF_ARRANGED"}),
    "ReturnMarkReceived":          (AGENT, ON_ITS_WAY,      "SELF_ARRANGED", {}),
    "ReturnRefundApprove":         (MAWAR, RR | REVIEW,     None,            {}),
    "ReturnRefundApproveKeepItem": (MAWAR, RR | REVIEW,     None,            {}),
    "ReturnRejectPackage":         (AGENT, {"stages": ["pending_inspection"]}, None, {"reason": "pkg_damaged_used"}),
    "ReturnSchedulePickup":        (AGENT, TO_SHIP,         "PICK_UP",       {}),
    "ReturnUploadTracking":        (AGENT, TO_SHIP,         "SELF_ARRANGED", TRACKING),
}
# fmt: on
LINES = frozenset({"RequestEdit", "RequestResubmit"})

keys = count()


@pytest.fixture(scope="module")
def demo(demo_copy: Callable[[], tuple[str, ...]]) -> Iterator[Server]:
    with serving(*demo_copy()) as server:
        yield server


def ask(demo: Server, name: str, who: str, **variables: Any) -> Any:
    """The answer of the operation's one root field."""
    [field] = post(demo, OPERATIONS[name].read_text(encoding="utf-8"), who, variables).values()
    return field


def post(demo: Server, query: str, who: str, variables: Mapping[str, Any]) -> dict[str, Any]:
    headers = {"authorization": f"Bearer {demo.tokens[who]}"}
    told = httpx.post(demo.url, json={"query": query, "variables": variables}, headers=headers).json()
    assert "errors" not in told, told
    found: dict[str, Any] = told["data"]
    return found


def candidates(demo: Server, who: str, filter: Mapping[str, Any], method: str | None) -> list[dict[str, Any]]:
    query = """
        query ($filter: RequestFilter) {
          requests(first: 100, sort: CREATED_DESC, filter: $filter) {
            nodes { id number version returnMethod shipments { pickupAt } lines { quantity orderLine { id } } }
          }
        }
    """
    nodes = post(demo, query, who, {"filter": filter})["requests"]["nodes"]
    return [node for node in nodes if method in (None, node["returnMethod"])]


@pytest.mark.parametrize("name", ACTS)
def test_an_act_is_done_to_a_request_of_the_demo(demo: Server, name: str) -> None:
    who, filter, method, brings = ACTS[name]
    refusals = []

    for request in candidates(demo, who, filter, method):
        input = dict(
            brings, requestId=request["id"], expectedVersion=request["version"], idempotencyKey=f"{next(keys)}"
        )
        if name in LINES:
            input["lines"] = [
                {"orderLineId": line["orderLine"]["id"], "quantity": line["quantity"]} for line in request["lines"]
            ]
        if name == "ReturnSchedulePickup":
            input["pickupAt"] = (datetime.now(UTC) + timedelta(hours=3)).isoformat()
        if name == "ReturnRejectPackage":
            input["evidenceIds"] = [staged(demo, who)]
        answer = ask(demo, name, who, input=input)
        # the world goes on meanwhile: what it has changed is refused, and another will do
        if not answer["problems"]:
            return
        refusals.append(answer["problems"])

    raise AssertionError(f"{name} was refused by all: {refusals}")


def staged(demo: Server, who: str) -> str:
    answer = ask(demo, "EvidenceLink", who, input=FILE | {"idempotencyKey": f"{next(keys)}"})
    assert answer["problems"] == []
    id: str = answer["evidence"]["id"]
    return id


def test_a_file_is_uploaded_to_the_demo_submitted_and_looked_at(demo: Server) -> None:
    content = b"%PDF-1.7 a waybill"
    said = {"kind": "AWB", "mediaType": "application/pdf", "bytes": len(content), "sha256": sha256(content).hexdigest()}

    staged = ask(demo, "EvidenceStage", DEWI, input=said | {"idempotencyKey": f"{next(keys)}"})
    upload, id = staged["upload"], staged["evidence"]["id"]
    headers = {header["name"]: header["value"] for header in upload["headers"]}
    sent = httpx.request(upload["method"], upload["url"], content=content, headers=headers)
    locked = ask(demo, "EvidenceSubmit", DEWI, input={"evidenceIds": [id], "idempotencyKey": f"{next(keys)}"})

    assert sent.status_code == 201
    assert locked["problems"] == []
    assert httpx.get(locked["evidence"][0]["url"]).content == content


def order_of(demo: Server, number: int) -> tuple[str, str]:
    """An order that the demo names for Dewi to claim, with a line of it."""
    ids = [line.strip() for line in demo.said if re.fullmatch(r"  (or|ol)_\w+", line)]
    return ids[2 * number], ids[2 * number + 1]


@pytest.mark.parametrize(
    ("name", "number", "reason"), [("RefundOnlyOpen", 0, "not_received"), ("ReturnRefundOpen", 1, "wrong_size")]
)
def test_dewi_claims_an_order_that_the_demo_names(demo: Server, name: str, number: int, reason: str) -> None:
    order, line = order_of(demo, number)
    claim = {"orderId": order, "lines": [{"orderLineId": line, "quantity": 1}], "reason": reason}

    answer = ask(demo, name, DEWI, input=claim | {"idempotencyKey": f"{next(keys)}"})

    assert answer["problems"] == []
    assert answer["request"]["status"] == "PENDING_REVIEW"


def test_dewi_looks_before_she_claims(demo: Server) -> None:
    order, line = order_of(demo, 2)
    claim = {"kind": "refund_only", "orderId": order, "lines": [{"orderLineId": line, "quantity": 1}]}

    detail = ask(demo, "OrderDetail", DEWI, id=order)
    eligible = ask(demo, "Eligibility", DEWI, orderId=order)
    preview = ask(demo, "OpenPreview", DEWI, input=claim | {"reason": "not_received"})

    assert detail["id"] == order
    assert {row["kind"]["handle"] for row in eligible if row["eligible"]} >= {"refund_only"}
    assert preview["problems"] == []


def test_a_seller_reads_the_board_and_a_request(demo: Server) -> None:
    board = ask(demo, "Board", MAWAR)
    counts = ask(demo, "Counts", MAWAR)
    number, id = board["nodes"][0]["number"], board["nodes"][0]["id"]
    detail = ask(demo, "RequestDetail", MAWAR, by={"number": number})

    assert len(board["nodes"]) == 50
    assert sum(row["count"] for row in counts) > 50
    assert detail["number"] == number
    assert ask(demo, "Node", MAWAR, id=id)["id"] == id
    assert [node["id"] for node in ask(demo, "Nodes", MAWAR, ids=[id])] == [id]


def test_an_act_can_be_tried_without_being_done(demo: Server) -> None:
    request = candidates(demo, MAWAR, RO | REVIEW, None)[0]

    preview = ask(demo, "ActPreview", MAWAR, input={"requestId": request["id"], "action": "approve"})

    assert preview["problems"] == []


def test_anybody_asks_what_holds_here(demo: Server) -> None:
    assert ask(demo, "Me", DEWI)["id"] == "by_dewi"
    assert {"refund_only", "return_refund"} <= {plugin["name"] for plugin in ask(demo, "Plugins", DEWI)}
    assert ask(demo, "Policies", DEWI, market="TH")


def test_a_carrier_reports_what_it_sees(demo: Server) -> None:
    request = candidates(demo, CARRIER, TO_SHIP, "DROP_OFF")[0]
    scan = {"event": "HANDED_OVER", "carrier": "JNE", "requestId": request["id"], "leg": "RETURN"}

    answer = ask(demo, "CarrierReport", CARRIER, input={"idempotencyKey": f"{next(keys)}", "scans": [scan]})

    assert answer["problems"] == []
    assert [row["outcome"] for row in answer["results"]] == ["DONE"]


def test_an_app_brings_in_an_order(demo: Server) -> None:
    order = {
        "number": "5900000000001",
        "shopId": "mawar",
        "buyer": {"id": "dewi"},
        "currency": "IDR",
        "state": "IN_TRANSIT",
        "placedAt": (datetime.now(UTC) - timedelta(days=1)).isoformat(timespec="seconds"),
        "lines": [{"skuId": "MW-SCF-1", "productName": "Silk scarf", "quantity": 1, "unitPaid": "129500"}],
    }

    answer = ask(demo, "OrdersImport", APP, input={"idempotencyKey": f"{next(keys)}", "orders": [order]})

    assert answer["problems"] == []
    assert [row["outcome"] for row in answer["results"]] == ["CREATED"]


def test_a_buyer_of_whom_nothing_is_open_is_erased(demo: Server) -> None:
    order = {
        "number": "5900000000002", "shopId": "mawar", "buyer": {"id": "passing", "name": "A passer-by"},
        "currency": "IDR", "state": "DELIVERED",
        "placedAt": (datetime.now(UTC) - timedelta(days=2)).isoformat(timespec="seconds"),
        "deliveredAt": (datetime.now(UTC) - timedelta(days=1)).isoformat(timespec="seconds"),
        "lines": [{"skuId": "MW-SCF-1", "productName": "Silk scarf", "quantity": 1, "unitPaid": "129500"}],
    }  # fmt: skip
    ask(demo, "OrdersImport", APP, input={"idempotencyKey": f"{next(keys)}", "orders": [order]})

    answer = ask(demo, "PrivacyErase", AGENT, input={"idempotencyKey": f"{next(keys)}", "buyerId": "by_passing"})

    assert answer["problems"] == []
    assert answer["erasure"]["orders"] == 1


def test_a_board_hears_what_happens(demo: Server) -> None:
    query = OPERATIONS["RequestStream"].read_text(encoding="utf-8")
    headers = {"authorization": f"Bearer {demo.tokens[AGENT]}", "accept": "text/event-stream"}

    with httpx.stream("POST", demo.url, json={"query": query}, headers=headers, timeout=30) as answer:
        data = (line.removeprefix("data: ") for line in answer.iter_lines() if line.startswith("data: {"))
        kinds = [orjson.loads(next(data))["data"]["requestStream"]["__typename"] for _ in range(2)]

    assert kinds[0] == "StreamReady"
    assert kinds[1] in ("RequestChanged", "DeadlineChanged")


def test_no_operation_is_left_out() -> None:
    """Those that take several parties are tried in `test_demo_cases`."""
    files = [Path(__file__), Path(__file__).with_name("test_demo_cases.py")]
    tried = {name for file in files for name in re.findall(r'"([A-Z]\w+)"', file.read_text(encoding="utf-8"))}

    assert OPERATIONS.keys() - tried == set()
