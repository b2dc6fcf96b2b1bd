"""The judge of answers sees what is wrong: else all who ask it would pass."""

from typing import Any

import pytest
from tests.transport.conforming import faults, telling

DOCUMENT = telling(
    "{ node(id: 1) { id } request(by: {id: 1}) { createdAt status version money { approved { amount } } } }"
)
MONEY = {"__typename": "RequestMoney", "approved": {"__typename": "Money", "amount": "12.50"}}
REQUEST = {
    "__typename": "Request", "createdAt": "2025-03-05T03:00:00Z", "status": "CLOSED", "version": 1, "money": MONEY,
}  # fmt: skip
DATA: dict[str, Any] = {"node": {"__typename": "Shop", "id": "sh_1"}, "request": REQUEST}
ERROR = {"message": "No.", "path": ["node"], "extensions": {"code": "NOT_FOUND"}}


def test_a_good_answer_is_good() -> None:
    assert list(faults(DOCUMENT, {"data": DATA})) == []
    assert list(faults(DOCUMENT, {"data": DATA | {"node": None}, "errors": [ERROR], "extensions": {}})) == []
    assert list(faults(DOCUMENT, {"errors": [{"message": "No.", "extensions": {"code": "SYNTAX_ERROR"}}]})) == []


# fmt: off
WRONG: dict[str, Any] = {
    "no object":              [],
    "nothing":                {},
    "a field too much":       {"data": DATA, "result": 1},
    "no data and no errors":  {"data": None},
    "errors without any":     {"data": DATA, "errors": []},
    "no code":                {"errors": [{"message": "No."}]},
    "a code in words":        {"errors": [{"message": "No.", "extensions": {"code": "not found"}}]},
    "no message":             {"errors": [{"extensions": {"code": "NOT_FOUND"}}]},
    "a fault of ours":        {"errors": [{"message": "Internal error 1", "extensions": {"code": "INTERNAL"}}]},
    "an error at what is":    {"data": DATA, "errors": [ERROR]},
    "a field is missing":     {"data": {"node": None}},
    "one is there unasked":   {"data": DATA | {"me": None}},
    "of no such type":        {"data": DATA | {"node": {"__typename": "Money", "id": "1"}}},
    "null where none may be": {"data": DATA | {"request": REQUEST | {"version": None}}},
    "a truth for a number":   {"data": DATA | {"request": REQUEST | {"version": True}}},
    "a fraction":             {"data": DATA | {"request": REQUEST | {"version": 1.0}}},
    "no such name":           {"data": DATA | {"request": REQUEST | {"status": "closed"}}},
    "an instant elsewhere":   {"data": DATA | {"request": REQUEST | {"createdAt": "2025-03-05T03:00:00+07:00"}}},
    "an instant as number":   {"data": DATA | {"request": REQUEST | {"createdAt": 1}}},
    "an amount as number":    {"data": {**DATA, "request": {**REQUEST, "money": {
                                  **MONEY, "approved": {"__typename": "Money", "amount": 12.5}}}}},
    "an amount with an e":    {"data": {**DATA, "request": {**REQUEST, "money": {
                                  **MONEY, "approved": {"__typename": "Money", "amount": "1e3"}}}}},
    "a list for an object":   {"data": {**DATA, "request": [REQUEST]}},
}
# fmt: on


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_seen(case: str) -> None:
    assert list(faults(DOCUMENT, WRONG[case]))
