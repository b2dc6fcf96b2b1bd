"""The environment becomes settings: typed, described, and refused with all that is wrong with it."""

from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from aftersales.environment import shown
from aftersales.graphql.documents import DocumentLimits
from aftersales.graphql.variables import VariableLimits
from aftersales.settings import (
    DEVELOPMENT_SECRET,
    BadSettings,
    LogFormat,
    LogLevel,
    Mode,
    Settings,
    describe,
    read,
)
from aftersales.transport.auth import AUDIENCE
from aftersales.transport.limits import TransportSettings

OWN = "a secret of our own, of 32 bytes or more"
KEYS = "https://issuer.example/jwks.json"


def test_nothing_set_is_a_server_for_a_developers_own_machine() -> None:
    settings = read({})

    assert settings == Settings()
    assert settings.mode is Mode.DEVELOPMENT
    assert settings.host == "127.0.0.1"
    assert settings.audience == AUDIENCE


@pytest.mark.parametrize(
    ("name", "text", "field", "value"),
    [
        ("AFTERSALES_DATABASE", "sqlite:///var/lib/a.db", "database", "sqlite:///var/lib/a.db"),
        ("AFTERSALES_PORT", "0", "port", 0),
        ("AFTERSALES_PORT", " 443 ", "port", 443),
        ("AFTERSALES_MODE", "Development", "mode", Mode.DEVELOPMENT),
        ("AFTERSALES_SECRET", OWN, "secret", OWN),
        ("AFTERSALES_JWKS_URL", KEYS, "jwks_url", KEYS),
        ("AFTERSALES_ORIGINS", "https://a.example, https://b.example,", "origins", {"https://a.example", "https://b.example"}),
        ("AFTERSALES_PLUGINS", "refund_only", "plugins", {"refund_only"}),
        ("AFTERSALES_PLUGINS", ",", "plugins", set()),
        ("AFTERSALES_STRANGERS_INTROSPECT", "no", "strangers_introspect", False),
        ("AFTERSALES_HEARTBEAT_SECONDS", "2.5", "heartbeat_seconds", 2.5),
        ("AFTERSALES_LOG_LEVEL", "DEBUG", "log_level", LogLevel.DEBUG),
        ("AFTERSALES_LOG_FORMAT", "json", "log_format", LogFormat.JSON),
        ("AFTERSALES_BODY_BYTES", "5000", "body_bytes", 5000),
        ("AFTERSALES_ISSUER", "", "issuer", None),
    ],
)  # fmt: skip
def test_a_variable_is_read_as_what_it_means(name: str, text: str, field: str, value: object) -> None:
    assert getattr(read({name: text}), field) == value


def test_the_database_may_go_by_the_name_that_hosts_give_it() -> None:
    url = "postgres://me@db/aftersales"

    assert read({"AFTERSALES_DATABASE_URL": url}).database == url
    assert read({"AFTERSALES_DATABASE_URL": url, "AFTERSALES_DATABASE": url}).database == url
    with pytest.raises(BadSettings, match="AFTERSALES_DATABASE_URL and AFTERSALES_DATABASE differ"):
        read({"AFTERSALES_DATABASE_URL": url, "AFTERSALES_DATABASE": "sqlite://a.db"})


def test_a_folder_of_policies_must_be_there(tmp_path: Path) -> None:
    assert read({"AFTERSALES_POLICIES": str(tmp_path)}).policies == tmp_path

    with pytest.raises(BadSettings, match="is neither a folder nor a file"):
        read({"AFTERSALES_POLICIES": str(tmp_path / "gone")})


def test_every_fault_is_told_at_once() -> None:
    with pytest.raises(BadSettings) as bad:
        read(
            {
                "AFTERSALES_PORT": "70000",
                "AFTERSALES_OPERATIONS": "many",
                "AFTERSALES_INIT_SECONDS": "nan",
                "AFTERSALES_LOG_LEVEL": "loud",
                "AFTERSALES_STRANGERS_INTROSPECT": "perhaps",
                "AFTERSALES_JWKS_URL": "issuer.example",
                "AFTERSALES_SECRET": "short",
                "AFTERSALES_DATABSE": "sqlite://x",
            }
        )

    assert bad.value.faults == (
        "AFTERSALES_DATABSE is no setting. Is AFTERSALES_DATABASE meant?",
        "AFTERSALES_PORT: '70000' is not a whole number from 0 to 65535.",
        "AFTERSALES_JWKS_URL: 'issuer.example' is no http:// or https:// address.",
        "AFTERSALES_STRANGERS_INTROSPECT: 'perhaps' is neither yes nor no.",
        "AFTERSALES_LOG_LEVEL: 'loud' is not one of: debug, info, warning, error.",
        "AFTERSALES_OPERATIONS: 'many' is not a whole number from 1 to 100000.",
        "AFTERSALES_INIT_SECONDS: 'nan' is not a number from 0.1 to 300.",
        "AFTERSALES_SECRET has 5 bytes. It needs 32 or more.",
    )


def test_a_plugins_own_variable_is_none_of_ours() -> None:
    assert read({"AFTERSALES_ACME_KEY": "x"}) == Settings()


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ({}, "a secret that everybody knows"),
        ({"AFTERSALES_SECRET": DEVELOPMENT_SECRET}, "a secret that everybody knows"),
        ({"AFTERSALES_SECRET": "x" * 31}, "has 31 bytes"),
        ({"AFTERSALES_SECRET": OWN, "AFTERSALES_JWKS_URL": KEYS}, "are both set"),
    ],
)
def test_production_does_not_trust_a_weak_key(given: dict[str, str], fault: str) -> None:
    with pytest.raises(BadSettings, match=fault):
        read({"AFTERSALES_MODE": "production", **given})


@pytest.mark.parametrize("given", [{"AFTERSALES_SECRET": OWN}, {"AFTERSALES_JWKS_URL": KEYS}])
def test_production_takes_a_secret_of_its_own_or_the_issuers_keys(given: dict[str, str]) -> None:
    assert read({"AFTERSALES_MODE": "production", **given}).production


def test_the_secret_is_never_shown() -> None:
    settings = read({"AFTERSALES_SECRET": OWN})

    assert OWN not in repr(settings)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("postgres://me:hush@db:5432/shop?sslmode=require", "postgres://me:***@db:5432/shop?sslmode=require"),
        ("postgres://db/shop?user=me&password=hush&sslmode=require", "postgres://db/shop?user=me&password=***&sslmode=require"),
        ("postgres://e:e@e/e", "postgres://e:***@e/e"),
        ("postgres://me@db/shop", "postgres://me@db/shop"),
        ("sqlite://aftersales.sqlite3", "sqlite://aftersales.sqlite3"),
    ],
)  # fmt: skip
def test_nobody_reads_a_password_in_what_is_shown_of_settings(url: str, told: str) -> None:
    settings = Settings(database=url, address_secret=OWN)

    assert shown(url) == told
    assert f"database={told!r}" in repr(settings)
    assert OWN not in repr(settings)
    assert DEVELOPMENT_SECRET not in str(describe())
    with pytest.raises(BadSettings) as bad:
        read({"AFTERSALES_SECRET": "hunter2"})
    assert "hunter2" not in str(bad.value)


def test_every_setting_is_described() -> None:
    told = {row.name: row for row in describe()}

    assert list(told) == [f"AFTERSALES_{field.name.upper()}" for field in fields(Settings)]
    assert all(row.meaning.endswith(".") for row in told.values())
    assert told["AFTERSALES_PORT"].default == "8000"
    assert told["AFTERSALES_JWKS_URL"].default == ""


@pytest.mark.parametrize(
    ("prefix", "limits", "not_set"),
    [
        ("", TransportSettings, {"path", "patience_seconds", "strangers_introspect"}),
        ("document_", DocumentLimits, {"errors", "kept", "kept_tokens"}),
        ("variable_", VariableLimits, set()),
    ],
)
def test_limits_have_the_names_and_defaults_of_where_they_hold(prefix: str, limits: Any, not_set: set[str]) -> None:
    ours = {field.name: field.default for field in fields(Settings)}
    theirs = {field.name: field.default for field in fields(limits)}

    assert {name for name in theirs if f"{prefix}{name}" not in ours} <= not_set
    assert {name: ours.get(f"{prefix}{name}") for name in theirs if name not in not_set} == {
        name: default for name, default in theirs.items() if name not in not_set
    }


def test_strangers_may_read_the_schema_in_development_only_unless_it_is_said() -> None:
    production = {"AFTERSALES_MODE": "production", "AFTERSALES_SECRET": OWN}

    assert read({}).shown_to_strangers
    assert not read(production).shown_to_strangers
    assert read(production | {"AFTERSALES_STRANGERS_INTROSPECT": "yes"}).shown_to_strangers
    assert not read({"AFTERSALES_STRANGERS_INTROSPECT": "no"}).shown_to_strangers
