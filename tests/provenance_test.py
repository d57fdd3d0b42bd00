import keras
import pytest

from rcn_keras import provenance


def test_record_names_machine_day_and_command(monkeypatch):
    monkeypatch.setattr("sys.argv", ["/x/rcn-keras", "train", "a b", "/y/MTFL"])
    record = provenance.record()
    assert record["command"] == "rcn-keras train 'a b' MTFL"
    assert record["backend"] == keras.backend.backend()
    assert len(record["date"]) == 10 and record["device"]


def test_accelerators_are_no_processors():
    assert not any(name.startswith("cpu") for name in provenance.accelerators())


@pytest.mark.parametrize(
    "flags, emulates",
    [
        ("flags : fpu avx2 fma", True),
        ("flags : avx512f avx512_bf16 amx_tile", False),
        ("Features : fp asimd bf16 i8mm", False),
        (None, False),
    ],
)
def test_bfloat16_is_emulated_where_the_processor_does_not_name_it(
    tmp_path, monkeypatch, flags, emulates
):
    monkeypatch.setattr(provenance, "accelerators", list)
    if flags:
        (tmp_path / "cpuinfo").write_text(flags + "\n")
    assert provenance.emulates_bfloat16(tmp_path / "cpuinfo") is emulates


def test_an_accelerator_emulates_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(provenance, "accelerators", lambda: ["gpu:0"])
    (tmp_path / "cpuinfo").write_text("flags : fpu\n")
    assert not provenance.emulates_bfloat16(tmp_path / "cpuinfo")


@pytest.mark.parametrize(
    "devices, emulates, backend, wanted",
    [
        ([], False, "tensorflow", "mixed_bfloat16"),
        ([], True, "tensorflow", "float32"),
        ([], False, "jax", "float32"),
        (["gpu:0"], True, "jax", "mixed_bfloat16"),
    ],
)
def test_the_fast_precision_is_what_there_is_hardware_for(
    monkeypatch, devices, emulates, backend, wanted
):
    monkeypatch.setattr(provenance, "accelerators", lambda: devices)
    monkeypatch.setattr(provenance, "emulates_bfloat16", lambda: emulates)
    monkeypatch.setattr(keras.backend, "backend", lambda: backend)
    assert provenance.fast_precision() == wanted


@pytest.mark.parametrize(
    "driver, named",
    [
        (
            ("printf", "NVIDIA H100 80GB HBM3\\nNVIDIA H200\\n"),
            "NVIDIA H100 80GB HBM3, NVIDIA H200",
        ),
        (("printf", "one of\\nthree or\\nmore\\n"), "gpu:0, gpu:1"),
        (("false",), "gpu:0, gpu:1"),
        (("no-such-driver",), "gpu:0, gpu:1"),
    ],
)
def test_accelerators_have_their_drivers_names(monkeypatch, driver, named):
    monkeypatch.setattr(provenance, "accelerators", lambda: ["gpu:0", "gpu:1"])
    monkeypatch.setattr(provenance, "GPU_NAMES", driver)
    assert provenance.device() == named
