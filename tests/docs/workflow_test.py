"""The public CI runs `.ci/run` and the slow tests: what the pages ask for."""

import pathlib
import re

import pytest
import yaml

SCRIPT = pathlib.Path(".ci/run").read_text(encoding="utf-8")
README = pathlib.Path("README.md").read_text(encoding="utf-8")
WORKFLOW = pathlib.Path(".github/workflows/ci.yml").read_text(encoding="utf-8")
INSTALL = re.compile(r"python3 -m venv |\.venv(-jax)?/bin/pip install ")


@pytest.fixture(scope="module")
def job():
    (job,) = yaml.safe_load(WORKFLOW)["jobs"].values()
    return job


def runs(job):
    return [step["run"] for step in job["steps"] if "run" in step]


def test_the_workflow_runs_the_script_and_then_the_slow_tests(job):
    assert runs(job) == ["bash .ci/run", ".venv/bin/python -m pytest -m slow"]


def test_every_python_of_setup_is_tested(job):
    listed = re.findall(
        r"Python :: (3\.\d+)", pathlib.Path("setup.py").read_text("utf-8")
    )
    assert job["strategy"]["matrix"]["python"] == listed


@pytest.mark.parametrize("page", ["CONTRIBUTING.md", "docs/contributing.md"])
def test_what_contributors_are_asked_to_run_is_what_is_run(page, job):
    text = pathlib.Path(page).read_text(encoding="utf-8")
    lines = [line.split("  #")[0].strip() for line in text.splitlines()]
    commands = [
        command
        for line in lines
        if ".venv" in line or line == "bash .ci/run"
        for command in line.split(" && ")
        if not INSTALL.match(command)
    ]
    assert len(commands) == 8
    # The script takes its first command from the README.
    everything = [SCRIPT, README, *runs(job)]
    for command in commands:
        assert any(command in text for text in everything), command
