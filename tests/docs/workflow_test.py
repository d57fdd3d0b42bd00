"""The public CI runs what `CONTRIBUTING.md` asks for, no more and no less."""

import pathlib
import re

import pytest
import yaml

WORKFLOW = pathlib.Path(".github/workflows/ci.yml")


def contributing_commands(text):
    """Its lines of commands, comments and indentation stripped."""
    lines = [line for line in text.splitlines() if ".venv" in line]
    return [re.sub(r"\s{2,}#.*$", "", line).strip() for line in lines]


@pytest.fixture(scope="module")
def jobs():
    return yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))["jobs"]


def runs(job):
    return [step["run"].strip() for step in job["steps"] if "run" in step]


@pytest.mark.parametrize("page", ["CONTRIBUTING.md", "docs/contributing.md"])
def test_the_workflow_runs_the_commands_of_the_page(jobs, page):
    commands = contributing_commands(pathlib.Path(page).read_text(encoding="utf-8"))
    assert len(commands) == 10
    assert {run for job in jobs.values() for run in runs(job)} == set(commands)


def test_the_tests_run_on_every_python_of_setup(jobs):
    listed = re.findall(
        r"Python :: (3\.\d+)", pathlib.Path("setup.py").read_text("utf-8")
    )
    assert jobs["tensorflow"]["strategy"]["matrix"]["python"] == listed


def test_jobs_make_the_environment_that_they_use(jobs):
    for job in jobs.values():
        create, install, *uses = runs(job)
        environment = create.split()[-1]
        assert create == f"python3 -m venv {environment}"
        assert install.startswith(f"{environment}/bin/pip install -e ")
        assert uses and all(f"{environment}/bin/" in use for use in uses)
