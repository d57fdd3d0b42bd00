import pytest
from PIL import Image

import rcn_keras
from rcn_keras import plotting

ZEROS = {"kernel_initializer": "zeros"}


def texts(figure):
    """What is written in the diagram, with its place in inches: text, x, y."""
    return [(t.get_text(), *t.get_position()) for t in figure.axes[0].texts]


def boxes(figure):
    """Text, x, y of what stands in the middle of a box or circle."""
    middles = {
        (round(box.x0 + box.width / 2, 6), round(box.y0 + box.height / 2, 6))
        for patch in figure.axes[0].patches
        if (box := patch.get_path().get_extents(patch.get_patch_transform()))
    }
    return [t for t in texts(figure) if (round(t[1], 6), round(t[2], 6)) in middles]


def count(figure, text):
    return [written for written, *_ in texts(figure)].count(text)


def test_rcn_is_drawn_as_in_figure_1(tmp_path):
    path = tmp_path / "rcn.png"
    model = rcn_keras.build_rcn(branches=4, **ZEROS)
    figure = plotting.plot_architecture(model, save=path)
    with Image.open(path) as image:
        assert image.format == "PNG"
    assert figure.axes[0].get_title() == "rcn: 164,837 parameters"
    convolutions = [text for text, *_ in boxes(figure) if text.startswith("C ")]
    assert len(convolutions) == len([w for w in model.weights if w.ndim == 4]) == 12
    assert count(figure, "K") == count(figure, "P 2×2") == count(figure, "U ×2") == 3
    assert count(figure, "C 3×3\n5") == count(figure, "softmax\n5") == 1
    # Coarse above fine, the trunk in one column.
    rows = {text: y for text, _, y in texts(figure) if text[-3:] in ("×10", "×80")}
    assert rows["10×10"] > rows["80×80"]
    trunk = [x for text, x, _ in texts(figure) if text == "P 2×2"]
    assert len(set(trunk)) == 1


@pytest.mark.parametrize(
    "model, labels",
    [
        (
            rcn_keras.build_sumnet(branches=6, **ZEROS),
            {"Σ": 1, "P 3×3": 1, "P 2×2": 4, "U ×40": 1, "U ×16": 1, "U ×2": 1},
        ),
        (
            rcn_keras.build_rcn(branches=6, skip=True, **ZEROS),
            {"K": 9, "U ×2.5": 1, "U ×2": 4},
        ),
        (
            rcn_keras.build_rcn(branches=4, mask=(1, 0, 0, 1), **ZEROS),
            {"K": 1, "U ×8": 1, "P 2×2": 3},
        ),
    ],
    ids=["sumnet6", "skip", "mask"],
)
def test_each_network_has_its_own_joints_and_no_box_on_another(model, labels):
    figure = plotting.plot_architecture(model)
    assert {label: count(figure, label) for label in labels} == labels
    places = [place for _, *place in boxes(figure)]
    for row in {y for _, y in places}:
        across = sorted(x for x, y in places if y == row)
        assert all(b - a > 0.6 for a, b in zip(across, across[1:]))


def test_the_joint_model_is_drawn_as_in_figure_2(tmp_path):
    path = tmp_path / "joint.svg"
    joint = rcn_keras.JointModel(
        rcn_keras.build_rcn(branches=4, keypoints=68, **ZEROS),
        rcn_keras.build_denoiser(filters=(8, 8), kernel_size=23, pooling=2, **ZEROS),
        denoiser_weight=0.25,
    )
    figure = plotting.plot_architecture(joint, save=path)
    assert path.read_text().lstrip().startswith("<?xml")
    assert count(figure, "C 23×23\n8") == 2 and count(figure, "C 1×1\n68") == 2
    assert (
        count(figure, "one-hot") == count(figure, "× 0.25") == count(figure, "+") == 1
    )
    legend = figure.axes[0].get_legend().get_texts()
    assert [text.get_text() for text in legend] == ["rcn", "denoiser"]
    twice = rcn_keras.JointModel(joint.rcn, joint.denoiser, iterations=2)
    assert count(plotting.plot_architecture(twice), "one-hot") == 2


def test_a_regression_has_no_such_diagram():
    with pytest.raises(ValueError, match=r"must give maps.*\(None, 5, 2\)"):
        plotting.plot_architecture(rcn_keras.build_tcdcn(attributes=False))
