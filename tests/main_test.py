import os
import subprocess
import sys

START = "import sys; from rcn_keras.__main__ import main; sys.exit(main())"


def run(*arguments, program=START, **environment):
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    )


def test_nothing_but_the_answer_is_written():
    done = run("list")
    assert done.returncode == 0 and "rcn6_mtfl" in done.stdout
    assert done.stderr == ""


def test_missing_backend_names_the_pip_command():
    without = f"import sys; sys.modules['keras'] = None; {START}"
    done = run("train", "demo", "--data", "demo", "--out", "run", program=without)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "pip install '.[tensorflow]'" in line


def test_presets_are_listed_without_keras():
    without = f"import sys; sys.modules['keras'] = None; {START}"
    done = run("list", program=without)
    assert done.returncode == 0 and done.stderr == ""
    presets, _, rest = done.stdout.partition("recipes")
    assert "  rcn6_mtfl\n" in presets
    assert "pip install '.[tensorflow]'" in rest and "rcn6_quick" not in rest


def test_module_runs_as_the_command():
    done = subprocess.run(
        [sys.executable, "-m", "rcn_keras", "list"], capture_output=True, text=True
    )
    assert done.returncode == 0 and "rcn6_mtfl" in done.stdout and done.stderr == ""
