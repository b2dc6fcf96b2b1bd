"""What is installed is what is here: the wheel of the server holds what the code reads beside itself."""

import subprocess
import sys
import zipfile
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "server" / "aftersales"
DATA = {".css", ".html", ".js", ".json", ".po", ".svg", ".toml"}


def test_the_wheel_has_all_data_of_the_package(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=PACKAGE.parent, check=True, capture_output=True)

    [wheel] = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        inside = {name for name in archive.namelist() if Path(name).suffix in DATA}
    there = {path.relative_to(PACKAGE.parent).as_posix() for path in PACKAGE.rglob("*") if path.suffix in DATA}
    assert inside == there
    assert "aftersales/transport/page_files/index.html" in inside
