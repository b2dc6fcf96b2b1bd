"""Ours are as yours: a copied folder, renamed and installed, is a kind of its own. By the very commands of the docs."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.contract.documented import ROOT, examples

NO = 'from aftersales.plugin import Problem; NO = Problem("ACME_NO", "No.")'
INSTALL = ("uv", "pip", "install", "--offline", "--no-cache", "--no-deps", "--no-build-isolation")


@dataclass(frozen=True)
class Partner:
    """Somebody's own repository, outside of ours, and where its plugin is installed."""

    folder: Path
    site: Path

    def install(self) -> None:
        shutil.rmtree(self.site, ignore_errors=True)
        self.run(*INSTALL, "--python", sys.executable, "--target", str(self.site), str(self.folder))

    def run(self, *module: str, fails: bool = False) -> str:
        """What `python -m …` says, with the plugin installed."""
        done = subprocess.run(
            [sys.executable, "-m", *module], cwd=self.folder.parent, capture_output=True, text=True,
            env={**os.environ, "PYTHONPATH": str(self.site)},
        )  # fmt: skip
        assert bool(done.returncode) is fails, done.stdout + done.stderr
        return done.stdout

    def test(self, fails: bool = False) -> str:
        settings = ("asyncio_mode=auto", "asyncio_default_fixture_loop_scope=function", "filterwarnings=error")
        options = [word for setting in settings for word in ("-o", setting)]
        return self.run("pytest", "-q", "-p", "no:cacheprovider", *options, str(self.folder / "tests"), fails=fails)


@pytest.fixture(scope="module")
def partner(tmp_path_factory: pytest.TempPathFactory) -> Partner:
    """Made by the commands of docs/plugins.md."""
    place = tmp_path_factory.mktemp("partner")
    shutil.copytree(ROOT / "plugins" / "refund_only", place / "aftersales" / "plugins" / "refund_only")
    subprocess.run(["sh", "-euc", examples()["copy-and-rename"]], cwd=place / "aftersales", check=True)
    made = Partner(place / "acme_repair", place / "site")
    for name in ("conformance", "house"):
        test = made.folder / "tests" / f"test_{name}.py"
        test.parent.mkdir(exist_ok=True)
        test.write_text(examples()[name], encoding="utf-8")
    made.install()
    return made


def test_no_name_of_ours_is_left_in_the_copy(partner: Partner) -> None:
    texts = [
        path.read_text(encoding="utf-8") for path in partner.folder.rglob("*.*") if path.suffix in (".py", ".toml")
    ]

    assert [text for text in texts if "refund_only" in text or "RefundOnly" in text or "refundOnly" in text] == []


def test_the_copy_appears_in_the_registry_beside_ours(partner: Partner) -> None:
    plugins = partner.run("aftersales", "plugins")

    assert "acme_repair 1.0.0: acme_repair (API >=1,<2)\n" in plugins
    assert "\nrefund_only 1.0.0: refund_only " in plugins


def test_the_copy_appears_in_the_schema(partner: Partner) -> None:
    schema = partner.run("aftersales", "schema")

    for name in ("Open", "Approve"):
        mutation = f"acmeRepair{name}(input: AcmeRepair{name}Input!): RequestPayload!"
        assert f'{mutation} @contributedBy(plugin: "acme_repair", since: "1.0")' in schema
    assert "refundOnlyOpen(" in schema


def test_the_copy_keeps_what_every_plugin_must_keep_and_lives_on_a_server(partner: Partner) -> None:
    assert "7 passed" in partner.test()


def test_without_it_the_server_is_as_before(partner: Partner) -> None:
    bare = subprocess.run(
        [sys.executable, "-m", "aftersales", "schema"], cwd=partner.folder, capture_output=True, text=True, check=True
    )

    assert "acmeRepair" not in bare.stdout


# Each with what conformance says of it.
# fmt: off
BREAKS = [
    # file          instead of             stands                      and so
    ("mutations",   "repair_approve",      "repair_grant",             "nobody can do acmeRepairApprove"),
    ("mutations",   "repair_approve",      "repair_grant",             "acmeRepairGrant performs no act"),
    ("mutations",   '(description="Ask',   '(deprecation_reason="Ask', "acmeRepairOpen has no description"),
    ("transitions", "TRANSITIONS = (",     f"{NO}\nTRANSITIONS = (",   "the README does not tell of ACME_NO"),
    ("transitions", '"AR1"',               '"AR9"',                    "put what `aftersales picture"),
    ("__init__",    'label="Refund only"', 'details=int, label="New"', "give an example of them in DETAILS"),
]
# fmt: on


def test_a_copy_that_breaks_its_word_is_told_of_each_breach(partner: Partner, tmp_path: Path) -> None:
    broken = Partner(tmp_path / "acme_repair", tmp_path / "site")
    shutil.copytree(partner.folder, broken.folder)
    (broken.folder / "tests" / "test_house.py").unlink()
    for module, old, new, _ in BREAKS:
        file = broken.folder / "acme_repair" / f"{module}.py"
        file.write_text(file.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    broken.install()

    told = broken.test(fails=True)

    assert "6 failed" in told
    assert [said for *_, said in BREAKS if said not in told] == []
