"""What holds for every folder of tests."""

import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says loudly what was left out and why: a run that is green without it has shown less."""
    reasons = {
        report.longrepr[2].removeprefix("Skipped: ")
        for report in terminalreporter.stats.get("skipped", [])
        if isinstance(report.longrepr, tuple)
    }
    if reasons:
        terminalreporter.section("LEFT OUT", red=True, bold=True)
        for reason in sorted(reasons):
            terminalreporter.write_line(reason, red=True)
