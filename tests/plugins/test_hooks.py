"""Each hook does what docs/plugins.md says, by the very examples that it shows."""

import ast
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
from tests.contract.documented import DOCS, ROOT, examples, signatures
from tests.desk.acts import act, codes, opened, return_opened, staged
from tests.desk.conftest import Another

from aftersales.graphql.schema import build_schema
from aftersales.plugin import REFUNDING, PaymentOutcome, RequestType, hookimpl, reasons
from aftersales.testing import BUYER, CARRIER, Home, house, line
from aftersales.testing.house import SHOP

HOOKS = signatures()


@pytest.mark.parametrize("hook", HOOKS)
def test_each_hook_is_documented_with_its_exact_signature(hook: str) -> None:
    assert f"### {hook}\n\n```python\n{HOOKS[hook]}\n```\n" in DOCS.read_text(encoding="utf-8")


@pytest.mark.parametrize("hook", HOOKS)
def test_each_hook_has_an_example_that_implements_it(hook: str) -> None:
    assert f"@hookimpl\n{HOOKS[hook]}" in examples()[hook]


@pytest.mark.parametrize("hook", HOOKS)
def test_each_hook_has_a_test_named_after_it(hook: str) -> None:
    assert [name for name in names_of_tests() if name.startswith(f"test_{hook}_")]


async def test_aftersales_request_type_brings_a_kind_that_lives_from_open_to_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "acme.toml").write_text(examples()["policies"], encoding="utf-8")
    repair = example("aftersales_request_type")

    async with house(plugins=[repair], policies=tmp_path) as home:
        request = await opened(home, kind="acme_repair", reason="damaged", evidence_ids=(await staged(home),))
        await act(home, request, "approve")
        await act(home, request, "handed_over", CARRIER)
        await act(home, request, "delivered", CARRIER)
        mending = await act(home, request, "accept_package")
        await act(home, request, "mended")
        await act(home, request, "handed_over", CARRIER)
        done = await act(home, request, "delivered", CARRIER)

        assert mending.next_clock is not None
        assert (mending.stage.name, mending.next_clock.key) == ("acme_mending", "acme_repair.mending")
        assert (done.stage.name, done.refunds) == ("completed", ())
        assert "acmeRepairMended(input: AcmeRepairActInput!)" in str(build_schema(home.running.registry))


async def test_aftersales_request_type_may_ask_more_of_a_claim_and_show_it_as_details() -> None:
    asks, brings = example("details"), ModuleType("acme_repair")
    brings.aftersales_request_type = hookimpl(  # type: ignore[attr-defined]
        lambda: RequestType(
            name="acme_repair", label="Repair", approved=REFUNDING, transitions=(), reasons=reasons("defective"),
            reject_codes={}, validate=example("validate").validate, mutations=asks.AcmeRepairMutations,
            details=asks.AcmeRepairDetails,
        )
    )  # fmt: skip
    open = """
        mutation ($input: AcmeRepairOpenInput!) {
          acmeRepairOpen(input: $input) {
            request { kind { label } details { ... on AcmeRepairDetails { kind { handle } wish } } }
            problems { __typename code path }
          }
        }
        """
    async with house(plugins=[brings]) as home:
        order = await home.order(line(), line(sku_id="sku_2"))
        photo = await staged(home)
        lines = [{"orderLineId": each.id, "quantity": 1} for each in order.lines]
        claim = {"orderId": order.id, "reason": "defective", "evidenceIds": [photo], "idempotencyKey": "k"}

        no = await home.ask(open, BUYER, input={**claim, "lines": lines, "wish": " "})
        yes = await home.ask(open, BUYER, input={**claim, "lines": lines[:1], "wish": "a new zip"})

    assert no["acmeRepairOpen"]["problems"] == [
        {"__typename": "InvalidInput", "code": "ACME_WISH_REQUIRED", "path": ["wish"]},
        {"__typename": "InvalidInput", "code": "ACME_ONE_AT_A_TIME", "path": ["lines"]},
    ]
    assert yes["acmeRepairOpen"] == {
        "request": {
            "kind": {"label": "Repair"},
            "details": {"kind": {"handle": "acme_repair"}, "wish": "a new zip"},
        },
        "problems": [],
    }


async def test_aftersales_objections_refuse_a_change_before_it_is_written(server: Another) -> None:
    watches = example("aftersales_objections")
    async with server(watches) as home:
        request = await opened(home)

        before = await codes(act(home, request, "approve"))
        watches.WATCHED.add(BUYER.id)
        after = await codes(act(home, await opened(home), "approve"))

        assert (before, after) == ([], ["ACME_BUYER_WATCHED"])


async def test_aftersales_changed_hears_of_what_was_committed(server: Another) -> None:
    listens = example("aftersales_changed")
    async with server(listens) as home:
        request = await act(home, await return_opened(home), "approve")
        await home.running.registry.heard()
        silent = list(listens.TOLD)

        await act(home, request, "handed_over", CARRIER)
        await home.running.registry.heard()

        assert (silent, listens.TOLD) == ([], [request.number])


async def test_aftersales_changed_hears_of_warnings_too(server: Another) -> None:
    heard = []
    listens = ModuleType("listens")
    listens.aftersales_changed = hookimpl(lambda change: heard.append(change))  # type: ignore[attr-defined]
    async with server(listens) as home:
        await opened(home)
        await home.pass_time(days=1)

    [_, warning] = heard
    assert (warning.action, warning.before) == ("warn", warning.request)


async def test_aftersales_refund_gateway_pays_the_refunds_of_its_shops(server: Another) -> None:
    pays = example("aftersales_refund_gateway")
    async with server(pays) as home:
        request = await act(home, await opened(home), "approve")
        await home.running.tender.tend()

        # the plugin that came last is asked first
        assert list(pays.PAY.paid) == [request.refunds[0].id]
        assert home.bank.asked == []
        assert await pays.PAY.find(request.refunds[0].id) is PaymentOutcome.PAID
        assert await pays.PAY.find("rf_never") is PaymentOutcome.FAILED


async def test_aftersales_refund_gateway_leaves_other_shops_to_others(server: Another) -> None:
    pays = example("aftersales_refund_gateway")
    async with server(pays) as home:
        registry = home.running.registry

        assert registry.gateway(SHOP) is pays.PAY
        assert registry.gateway(replace(SHOP, market="TH")) is home.bank


async def test_aftersales_stock_says_what_can_be_sent_and_keeps_it(server: Another, home: Home) -> None:
    keeps = example("aftersales_stock")
    async with server(keeps) as stocked:
        stock = stocked.running.registry.stock(SHOP)
        assert stock is not None

        held = [await stock.reserve(id, [("sku_1", 1)]) for id in ("rs_1", "rs_2", "rs_3", "rs_1")]
        await stock.release("rs_2")

        assert held == [True, True, False, True]
        assert await stock.reserve("rs_3", [("sku_1", 1)])
        assert (await stock.look(["sku_1", "sku_9"])).keys() == {"sku_1"}
    assert home.running.registry.stock(SHOP) is home.shelf


def example(name: str) -> ModuleType:
    """A module made of the documented example."""
    module = sys.modules[f"documented_{name}"] = ModuleType(f"documented_{name}")
    exec(compile(examples()[name], f"{DOCS.name}: {name}", "exec"), module.__dict__)
    return module


def names_of_tests() -> Iterator[str]:
    for path in (ROOT / "tests").rglob("test_*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield node.name
