# The five verbs. `just` itself comes with `just setup`'s requirements, as rust-just from PyPI.

bin := ".venv/bin"

# Make the environment, or bring it up to date.
setup:
    python3 -m venv .venv
    {{bin}}/pip install -r requirements-dev.txt

# Everything that reads the code without running it.
check:
    {{bin}}/ruff format --check .
    {{bin}}/ruff check .
    {{bin}}/mypy
    {{bin}}/lint-imports

# Run the tests: all of them two at a time, or those named.
test *args:
    {{ if args == "" { bin / "pytest -n 2 --dist loadfile -m 'not quiet' && " + bin / "pytest -m quiet" } else { bin / "pytest " + args } }}

# Serve; without arguments, the demo.
serve *args="--demo":
    {{bin}}/aftersales serve {{args}}

# Write the published contract and the generated documents anew from the code.
schema:
    {{bin}}/aftersales schema > schema/aftersales.graphql
    {{bin}}/aftersales schema --core > schema/core.graphql
    {{bin}}/python -m aftersales.reference
