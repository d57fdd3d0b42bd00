import pathlib

import keras
import numpy as np
import pytest
from layer_checks import to_numpy
from model_checks import SMALL, images

import rcn_keras
from rcn_keras import FACE_5, FACE_68, KeypointLayout, KeypointModel, codec
from rcn_keras.models import (
    JointModel,
    KeypointRegression,
    build_rcn,
    build_sumnet,
    build_tcdcn,
    keypoint_model,
)

CARD = KeypointLayout("card", ("nw", "ne", "se", "sw"), normalizer=((0,), (2,)))
BEFORE = pathlib.Path("tests/golden/before_layouts")


def card_model():
    model = build_rcn(branch_specs=SMALL, layout=CARD)
    model.set_decoder("quadratic", (0.6, -0.2), (1.5, 0.4))
    return model


@pytest.mark.parametrize("build", [build_rcn, build_sumnet])
def test_builders_give_models_that_know_their_layout(build):
    model = build(branch_specs=SMALL)
    assert isinstance(model, KeypointModel) and model.layout is FACE_5
    assert (model.decoder, model.calibration) == ("local_mean", (1.0, 0.0))
    many = build(branch_specs=SMALL, keypoints=68)
    assert many.layout is FACE_68 and many.output_shape == (None, 8, 8, 68)
    names = tuple(f"point_{number}" for number in range(98))
    own = build(branch_specs=SMALL, layout=KeypointLayout("own", names))
    assert own.layout.count == 98 and own.output_shape == (None, 8, 8, 98)


def test_locate_is_the_codec_on_the_models_maps():
    model, x = card_model(), images(2, 8)
    maps = model(x)
    keypoints = codec.decode(maps, "quadratic")
    log_odds = codec.mass_log_odds(maps, keypoints, CARD)
    confidence = codec.confidence(log_odds, 0.6, -0.2)
    face_score = codec.face_score(log_odds, 1.5, 0.4)
    found = to_numpy(model.locate(x))
    np.testing.assert_allclose(found["face_score"], to_numpy(face_score), atol=1e-5)
    np.testing.assert_allclose(found["keypoints"], to_numpy(keypoints), atol=1e-5)
    np.testing.assert_allclose(found["confidence"], to_numpy(confidence), atol=1e-5)
    graph = keras.Model(model.input, model.decode(model.output))
    for name, values in to_numpy(graph(x)).items():
        np.testing.assert_allclose(values, found[name], atol=1e-5)
    other = to_numpy(model.decode(maps, "argmax"))["keypoints"]
    np.testing.assert_array_equal(other, to_numpy(codec.decode(maps, "argmax")))


def test_a_file_predicts_as_the_model_that_was_saved(tmp_path):
    model, x = card_model(), images(2, 8)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert type(loaded) is KeypointModel and loaded.layout == CARD
    assert (loaded.decoder, loaded.calibration) == ("quadratic", (0.6, -0.2))
    assert loaded.face_calibration == (1.5, 0.4)
    assert loaded.name == model.name
    assert [x.name for x in loaded.layers] == [x.name for x in model.layers]
    found, expected = to_numpy(loaded.locate(x)), to_numpy(model.locate(x))
    for name, values in expected.items():
        np.testing.assert_array_equal(found[name], values)


def test_a_compiled_model_trains_further_from_its_file(tmp_path):
    y = np.random.default_rng(0).uniform(0, 8, (2, 4, 2)).astype("float32")
    model, x = card_model(), images(2, 8)
    metric = rcn_keras.NormalizedMeanError(CARD)
    model.compile("adam", rcn_keras.SpatialCrossentropy(), metrics=[metric])
    model.fit(x, y, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    losses = [m.fit(x, y, verbose=0).history["loss"][0] for m in (model, loaded)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


def test_frozen_weights_stay_frozen_in_a_file(tmp_path):
    model = card_model()
    model.trainable = False
    model.save(tmp_path / "model.keras")
    assert not keras.saving.load_model(tmp_path / "model.keras").trainable_weights


def test_a_regression_locates_without_maps(tmp_path):
    model, x = build_tcdcn(layout=CARD), images(2)
    assert isinstance(model, KeypointRegression) and model.layout is CARD
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert type(loaded) is KeypointRegression and loaded.layout == CARD
    for one in (model, loaded):
        found = to_numpy(one.locate(x))
        expected = to_numpy(model(x))["keypoints"]
        np.testing.assert_array_equal(found["keypoints"], expected)
        assert found["confidence"].shape == (2, 4)
        assert np.isnan(found["confidence"]).all()
        assert found["face_score"].shape == (2,) and np.isnan(found["face_score"]).all()


def test_what_does_not_fit_is_refused():
    model = build_rcn(branch_specs=SMALL)
    with pytest.raises(ValueError, match="of the 4 keypoints of the layout 'card'"):
        KeypointModel(model.input, model.output, CARD)
    with pytest.raises(ValueError, match="must be one of .* Received: decoder='mean'"):
        model.set_decoder("mean")
    for calibration in ((1.0,), (1.0, "0"), (1.0, 0.0, 0.0)):
        with pytest.raises(ValueError, match="must be two numbers"):
            model.set_decoder("argmax", calibration)
        with pytest.raises(ValueError, match="`face_calibration` must be two numbers"):
            model.set_decoder("argmax", face_calibration=calibration)
    assert (model.decoder, model.calibration) == ("local_mean", (1.0, 0.0))


def test_a_plain_network_becomes_one_of_the_same_layers():
    model = card_model()
    assert keypoint_model(model) is model
    face = build_rcn(branch_specs=SMALL)
    plain = keras.Model(face.input, face.output)
    found = keypoint_model(plain)
    assert found.layout is FACE_5 and found.layers == plain.layers
    with pytest.raises(ValueError, match="a `layout` .* Received: keypoints=4"):
        keypoint_model(keras.Model(model.input, model.output))


def test_files_from_before_there_were_layouts_load():
    x = np.random.default_rng(0).uniform(0, 255, (2, 16, 16, 1)).astype("float32")
    expected = np.load(BEFORE / "expected.npz")
    rcn = keypoint_model(keras.saving.load_model(BEFORE / "rcn.keras"))
    assert rcn.layout is FACE_5
    np.testing.assert_allclose(to_numpy(rcn(x)), expected["rcn"], atol=1e-4)
    joint = keras.saving.load_model(BEFORE / "joint.keras")
    assert isinstance(joint, JointModel) and joint.layout is FACE_5
    np.testing.assert_allclose(to_numpy(joint(x)), expected["joint"], atol=1e-4)
    found = to_numpy(joint.locate(x))
    for name in ("keypoints", "confidence"):
        np.testing.assert_allclose(found[name], expected[name], atol=1e-4)
    assert joint.face_calibration is None and np.isnan(found["face_score"]).all()
