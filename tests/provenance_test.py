import keras

from rcn_keras import provenance


def test_record_names_machine_day_and_command(monkeypatch):
    monkeypatch.setattr("sys.argv", ["/x/rcn-keras", "train", "a b", "/y/MTFL"])
    record = provenance.record()
    assert record["command"] == "rcn-keras train 'a b' MTFL"
    assert record["backend"] == keras.backend.backend()
    assert len(record["date"]) == 10 and record["device"]


def test_accelerators_are_no_processors():
    assert not any(name.startswith("cpu") for name in provenance.accelerators())
