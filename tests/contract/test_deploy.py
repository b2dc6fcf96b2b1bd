"""What `deploy/` holds is what the server knows, gives nothing away and runs as nobody in particular."""

import os
import re
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from aftersales.cli.arguments import parser
from aftersales.settings import ALSO, describe, read

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"].startswith("aftersales:")}
CONTAINERFILE = (DEPLOY / "Containerfile").read_text(encoding="utf-8")
SETTING = re.compile(r"AFTERSALES_[A-Z_]*[A-Z]")
SECRET = re.compile(r"PASSWORD|SECRET|TOKEN|PRIVATE")


def instructions() -> list[tuple[str, str]]:
    """Each with its text on one line, comments left out."""
    text = re.sub(r"^#.*\n", "", CONTAINERFILE, flags=re.MULTILINE).replace("\\\n", " ")
    return [(name, rest.strip()) for name, _, rest in (line.partition(" ") for line in text.splitlines() if line)]


def stages() -> list[list[tuple[str, str]]]:
    found: list[list[tuple[str, str]]] = []
    for name, rest in instructions():
        if name == "FROM":
            found.append([])
        if found:
            found[-1].append((name, rest))
    return found


def said(name: str) -> list[str]:
    """In the stage that becomes the image."""
    return [rest for other, rest in stages()[-1] if other == name]


@pytest.mark.parametrize("path", sorted(DEPLOY.rglob("*.*")), ids=lambda path: path.name)
def test_every_setting_that_is_named_is_one(path: Path) -> None:
    known = {row.name for row in describe()} | ALSO.keys()

    assert set(SETTING.findall(path.read_text(encoding="utf-8"))) - known == set()


def test_the_server_takes_what_compose_and_the_image_give_it() -> None:
    filled = {"DATABASE_PASSWORD": "…", "AFTERSALES_PUBLIC_URL": "https://api.example"}
    filled |= {"AFTERSALES_ADDRESS_SECRET": "0123456789abcdef" * 4}
    filled |= {"AFTERSALES_JWKS_URL": "https://issuer.example/keys", "AFTERSALES_ISSUER": "https://issuer.example"}
    image = dict(re.findall(r"(AFTERSALES_\w+)=(\S+)", " ".join(said("ENV"))))

    given = {name: substituted(value, filled) for name, value in OURS["server"]["environment"].items()}
    settings = read(image | given)

    assert settings.production
    assert settings.database.startswith("postgres://")
    assert (settings.host, settings.jwks_url) == ("0.0.0.0", "https://issuer.example/keys")


def substituted(value: str, given: dict[str, str]) -> str:
    """`${NAME:?why}` and `${NAME:-else}`, as Compose reads them."""
    return re.sub(r"\$\{(\w+):(?:\?[^}]*|-([^}]*))\}", lambda match: given.get(match[1], match[2] or ""), value)


@pytest.mark.parametrize("service", OURS)
def test_every_command_is_one_of_ours(service: str) -> None:
    assert parser().parse_args(OURS[service]["command"]).does


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_is_confined(service: str) -> None:
    given = SERVICES[service]

    assert given["read_only"] is True
    assert given["cap_drop"] == ["ALL"]
    assert "cap_add" not in given
    assert "privileged" not in given
    assert given["security_opt"] == ["no-new-privileges:true"]
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", given["user"])
    assert given["deploy"]["resources"]["limits"].keys() == {"cpus", "memory", "pids"}
    assert all("noexec,nosuid,nodev" in place for place in given["tmpfs"])
    assert re.search(r":\d+\.\d+", given["image"]), "no version that moves by itself"


def test_the_database_is_reached_from_within_only() -> None:
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    assert SERVICES["database"]["networks"] == ["inside"]
    assert [port for service in SERVICES.values() for port in service.get("ports", ())] == ["127.0.0.1:8000:8000"]


def test_nobody_starts_before_what_they_stand_on() -> None:
    assert OURS["migrate"]["depends_on"] == {"database": {"condition": "service_healthy"}}
    assert OURS["server"]["depends_on"] == {"migrate": {"condition": "service_completed_successfully"}}
    assert {service for service in SERVICES if SERVICES[service]["restart"] == "no"} == {"migrate"}


def test_no_secret_is_written_down() -> None:
    variables = {**SERVICES["database"]["environment"], **OURS["server"]["environment"]}
    example = dict(re.findall(r"^(\w+)=(.*)$", (DEPLOY / "example.env").read_text(encoding="utf-8"), re.MULTILINE))

    secrets = {name: value for name, value in variables.items() if SECRET.search(name)}
    assert secrets
    assert all(re.fullmatch(r"\$\{\w+:\?[^}]+\}", value) for value in secrets.values())
    assert [name for name, value in example.items() if SECRET.search(name) and value] == []
    assert not any(SECRET.search(rest) for name, rest in instructions() if name in {"ENV", "ARG"})


def test_the_image_runs_as_a_number_that_is_not_root_and_ends_when_told() -> None:
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", said("USER")[-1])
    assert said("USER")[-1] == OURS["server"]["user"]
    assert said("STOPSIGNAL") == ["SIGTERM"]
    assert "/healthz" in said("HEALTHCHECK")[0]
    assert not re.search(r"curl|wget", CONTAINERFILE)


def test_the_image_builds_nothing_and_its_base_does_not_move() -> None:
    base = next(rest for name, rest in instructions() if name == "ARG" and rest.startswith("BASE="))

    assert re.fullmatch(r"BASE=python:\d+\.\d+\.\d+-slim-\w+", base)
    assert len(stages()) == 2
    assert not any(re.search(r"\bpip\b(?!\*)|apt|hatchling", rest) for rest in said("RUN"))
    assert [rest for rest in said("COPY") if "--from=build" not in rest] == []


def test_the_image_says_what_it_is() -> None:
    server = tomllib.loads((ROOT / "server" / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    labels = dict(re.findall(r'org\.opencontainers\.image\.(\w+)="([^"]*)"', said("LABEL")[0]))

    assert labels == {
        "title": server["name"], "description": server["description"], "licenses": server["license"],
        "version": "${VERSION}", "revision": "${REVISION}",
    }  # fmt: skip
    assert f"VERSION={server['version']}" in said("ARG")
    assert {service["image"] for service in OURS.values()} == {f"aftersales:{server['version']}"}
    assert said("ENTRYPOINT") == [f'["{next(iter(server["scripts"]))}"]']


def test_only_what_the_image_is_made_of_is_sent_to_be_built() -> None:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    copied = [source for name, rest in stages()[0] if name == "COPY" for source in rest.split()[:-1]]

    assert lines[1] == "*"
    assert sorted(line[1:] for line in lines if line.startswith("!")) == sorted(copied)
    assert [source for source in copied if not (ROOT / source).exists()] == []


def test_what_the_image_is_built_by_gives_a_server_that_anybody_may_run(tmp_path: Path) -> None:
    """The steps of the Containerfile themselves, with what they need taken from here instead of the internet."""
    needed = tmp_path / "needed"
    needed.mkdir()
    for entry in Path(sysconfig.get_path("purelib")).iterdir():
        if "aftersales" not in entry.name and entry.suffix != ".pth":
            (needed / entry.name).symlink_to(entry)
    [*_, build] = [rest for name, rest in stages()[0] if name == "RUN"]
    wheels, venv, install = build.split(" && ")

    stepped(wheels, tmp_path)
    stepped(venv, tmp_path)
    [packages] = tmp_path.glob("opt/aftersales/lib/python*/site-packages")
    (packages / "needed.pth").write_text(f"{needed}\n")
    stepped(install, tmp_path)

    aftersales = tmp_path / "opt/aftersales/bin/aftersales"
    helped = subprocess.run([aftersales, "--help"], cwd="/", env={}, capture_output=True, text=True)
    listed = subprocess.run([aftersales, "plugins"], cwd="/", env={}, capture_output=True, text=True)
    assert (helped.returncode, helped.stdout.splitlines()[0][:17]) == (0, "usage: aftersales"), helped.stderr
    assert [line.split()[0] for line in listed.stdout.splitlines()] == [
        "exchange", "refund_only", "reshipment", "return_refund",
    ]  # fmt: skip
    assert not list(tmp_path.glob("opt/aftersales/lib/python*/site-packages/pip"))
    # whoever runs it, reads it
    assert [path for path in tmp_path.glob("opt/**/*") if path.stat().st_mode & 0o444 != 0o444] == []


def stepped(command: str, tmp_path: Path) -> None:
    command = command.replace("/tools/bin/pip", f"{sys.executable} -m pip")
    command = command.replace("python3 -m venv", f"{sys.executable} -m venv")
    command = re.sub(r"(?<![\w.])/(opt|wheels)/?\b", rf"{tmp_path}/\1/", command)
    offline = {**os.environ, "PIP_NO_INDEX": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    shell = ["/bin/sh", "-euc", command]
    done = subprocess.run(shell, cwd=ROOT, env=offline, umask=0o022, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("page", ["operate.md", "scale.md", "settings.md"])
def test_what_an_operator_reads_leads_somewhere_and_names_what_is(page: str) -> None:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)#]+)", text) if "://" not in link]
    named = {name for name in SETTING.findall(text) if not name.endswith("_")}

    assert [link for link in links if not (ROOT / "docs" / link).exists()] == []
    assert named - {row.name for row in describe()} - ALSO.keys() == set()
