"""Keypoints drawn on photographs, and the curves of training and evaluation.

Every `plot_` function returns a `matplotlib.figure.Figure` of its own, made without
pyplot, and saves it where `path` is given, in the format of its suffix. The colours
are those of Okabe and Ito, which colour-blind readers tell apart as well.
"""

import pathlib

import numpy as np

from rcn_keras.evaluation.errors import calibration_error
from rcn_keras.files import replaced

BLUE, ORANGE, GREEN, VERMILION = "#0072B2", "#E69F00", "#009E73", "#D55E00"
PINK, SKY, BLACK, WHITE = "#CC79A7", "#56B4E9", "#000000", "#FFFFFF"
CYCLE = (BLUE, ORANGE, GREEN, VERMILION, PINK, SKY, BLACK)

# The outlines that 68 points make: jaw, brows, nose, eyes, lips.
OPEN_LINES = [range(0, 17), range(17, 22), range(22, 27), range(27, 31), range(31, 36)]
RINGS = [range(36, 42), range(42, 48), range(48, 60), range(60, 68)]


def draw_keypoints(image, faces):
    """Draws boxes and keypoints on a photograph, sub-pixel.

    A keypoint is a disc inside a light and a dark ring, so that it shows on any skin:
    green where its confidence is one half or more (or not given), orange below. Sizes
    follow the face. 68 points are joined by the outlines that they lie on.

    Args:
        image: `(H, W, 3)` uint8 RGB, or `(H, W)` grey.
        faces: list of dicts: `"keypoints"`, `(K, 2)` in continuous pixels, and
            optional `"box"`, `[x0, y0, x1, y1]`, and `"confidence"`, K numbers in
            [0, 1]. Keypoints that are not finite are left out.

    Returns:
        `(H, W, 3)` uint8 RGB, a copy.
    """
    import cv2

    canvas = np.asarray(image)
    canvas = canvas[..., :3] if canvas.ndim == 3 else np.stack([canvas] * 3, axis=-1)
    canvas = np.array(canvas, "uint8", order="C")

    def fixed(points):
        # OpenCV counts from the centre of the first pixel; eight bits of fraction.
        return np.round((np.asarray(points, "float64") - 0.5) * 256).astype("int32")

    def line(points, closed, color, width):
        if np.isfinite(points).all():
            points, width = [fixed(points)], max(1, round(width))
            cv2.polylines(canvas, points, closed, _rgb(color), width, cv2.LINE_AA, 8)

    def disc(point, radius, color):
        center, radius = fixed(point).tolist(), round(256 * radius)
        cv2.circle(canvas, center, radius, _rgb(color), -1, cv2.LINE_AA, 8)

    for face in faces:
        points = np.asarray(face["keypoints"], "float64").reshape(-1, 2)
        known = points[np.isfinite(points).all(1)]
        size = 1.5 * np.ptp(known, axis=0).max() if len(known) else 0.0
        if face.get("box") is not None:
            corners = np.take(face["box"], [[0, 1], [2, 1], [2, 3], [0, 3]])
            size = np.ptp(corners, axis=0).max()
            line(corners, True, BLACK, size / 80)
            line(corners, True, SKY, size / 160)
        if len(points) == 68:
            for indices in OPEN_LINES + RINGS:
                line(points[indices], indices in RINGS, SKY, size / 250)
        radius = max(1.0, size * (0.012 if len(points) < 68 else 0.007))
        confidence = face.get("confidence", np.ones(len(points)))
        for point, certainty in zip(points, confidence, strict=True):
            if np.isfinite(point).all():
                disc(point, 2.0 * radius, BLACK)
                disc(point, 1.5 * radius, WHITE)
                disc(point, radius, ORANGE if certainty < 0.5 else GREEN)
    return canvas


def plot_keypoints(image, keypoints, true_keypoints=None, path=None):
    """Predicted keypoints over a face, with lines to the true ones.

    Args:
        image: `(H, W)` or `(H, W, 3)` array, grey levels or uint8 RGB.
        keypoints: `(K, 2)` in continuous pixels of the image.
        true_keypoints: `(K, 2)`, or `None`.
    """
    figure, [axes] = _axes(5, 5)
    _show(axes, image, *np.shape(image)[:2])
    points = np.asarray(keypoints, "float64")
    if true_keypoints is not None:
        true = np.asarray(true_keypoints, "float64")
        axes.plot(*np.stack([true, points]).transpose(2, 0, 1), color=VERMILION, lw=2)
        axes.plot(*true.T, "o", mfc="none", mec=ORANGE, mew=2, ms=9, label="true")
        distance = np.linalg.norm(true - points, axis=1)
        axes.set_title(f"mean error {np.nanmean(distance):.2f} pixels")
    axes.plot(*points.T, "o", mfc=BLUE, mec=WHITE, ms=6, label="predicted")
    axes.legend(loc="upper right", framealpha=0.9)
    return _saved(figure, path)


def plot_training(log_rows, path=None):
    """Loss and validation error over the epochs of a run.

    Args:
        log_rows: list of dicts, one an epoch, numbers or their text, as in `log.csv`
            or made from `History.history`: `epoch`, `loss`, `val_loss`, any
            `val_…` column of errors (fractions) and `learning_rate`. A column or a
            value that is missing is left out.
    """

    def column(name):
        values = [row.get(name) for row in log_rows]
        return np.array([np.nan if v in (None, "") else float(v) for v in values])

    figure, (left, right) = _axes(10, 4, columns=2)
    names = list(dict.fromkeys(name for row in log_rows for name in row))
    epochs = column("epoch") if "epoch" in names else range(1, len(log_rows) + 1)
    errors = [n for n in names if n.startswith("val_") and n != "val_loss"]
    losses = [n for n in ("loss", "val_loss") if n in names]
    for axes, shown, scale in ((left, losses, 1), (right, errors, 100)):
        for name in shown:
            values = scale * column(name)
            axes.plot(epochs, values, ".-", label=name.replace("_", " "))
        axes.set_xlabel("epoch")
        axes.grid(alpha=0.3)
        if shown:
            axes.legend()
    left.set_ylabel("loss")
    right.set_ylabel("validation error, % of the interocular distance")
    if "learning_rate" in names:
        rate = left.twinx()
        rate.plot(epochs, column("learning_rate"), ":", color="grey", linewidth=1)
        rate.set_ylabel("learning rate (dotted)", color="grey")
    return _saved(figure, path)


def plot_ced(errors, path=None):
    """Cumulative error distribution: the share of faces below each error.

    Args:
        errors: dict, name to errors as fractions of the interocular distance, `(N,)`
            for faces or `(N, K)` for their keypoints, which are averaged.
    """
    figure, [axes] = _axes(6, 4.5)
    for name, values in errors.items():
        values = np.asarray(values, "float64")
        faces = np.sort(values if values.ndim == 1 else values.mean(axis=1))
        x = 100 * np.concatenate([[0], faces, [max(0.2, faces[-1])]])
        y = 100 * np.minimum(np.arange(len(x)) / len(faces), 1)
        axes.step(x, y, where="post", label=f"{name} (mean {100 * faces.mean():.2f} %)")
    axes.set(xlim=(0, 20), ylim=(0, 101), ylabel="faces with at most this error, %")
    axes.set_xlabel("mean error, % of the interocular distance")
    axes.grid(alpha=0.3)
    if errors:
        axes.legend(loc="lower right")
    return _saved(figure, path)


def plot_calibration(confidence, correct, bins=10, path=None):
    """Reliability diagram: how often keypoints of a confidence are right.

    Args:
        confidence: array of any shape, numbers in [0, 1].
        correct: bools of the same shape.
        bins: int, how many equal parts of [0, 1].

    Raises:
        ValueError: if the shapes differ.
    """
    confidence, correct = np.asarray(confidence, "float64"), np.asarray(correct)
    if confidence.shape != correct.shape:
        raise ValueError(
            "`confidence` and `correct` must have the same shape. Received: "
            f"{confidence.shape} and {correct.shape}"
        )
    confidence, correct = confidence.ravel(), correct.ravel().astype("float64")
    part = np.clip((confidence * bins).astype(int), 0, bins - 1)
    count = np.bincount(part, minlength=bins)
    mean = np.bincount(part, confidence, bins) / np.maximum(count, 1)
    right = np.bincount(part, correct, bins) / np.maximum(count, 1)
    gap = calibration_error(confidence, correct, bins)
    figure, (axes, below) = _axes(5, 6, rows=2, height_ratios=[4, 1], sharex=True)
    axes.plot([0, 1], [0, 1], "--", color="grey", label="perfect")
    axes.plot(mean[count > 0], right[count > 0], "o-", label="measured")
    axes.set(ylim=(-0.02, 1.02), ylabel="share that is correct")
    axes.set_title(f"expected calibration error {100 * gap:.1f} %")
    axes.legend(loc="upper left")
    axes.grid(alpha=0.3)
    below.bar((np.arange(bins) + 0.5) / bins, count, 0.9 / bins, color=SKY)
    below.set(xlim=(-0.02, 1.02), xlabel="confidence", ylabel="keypoints")
    return _saved(figure, path)


def plot_heatmaps(image, maps, keypoint_names=None, path=None):
    """Every keypoint's map over the face, a cross at its highest cell.

    Args:
        image: `(H', W')` or `(H', W', 3)`, the face that the maps belong to.
        maps: `(H, W, K)`; each is shown from its lowest to its highest value.
        keypoint_names: K strings, or `None` for numbers.
    """
    maps = np.asarray(maps, "float64")
    height, width, count = maps.shape
    names = keypoint_names or [str(index) for index in range(count)]
    columns = min(count, 5 if count <= 10 else 10)
    rows, side = -(-count // columns), 2.2 if count <= 10 else 1.2
    figure, panels = _axes(side * columns, side * 1.15 * rows, rows, columns)
    for axes in panels:
        axes.set_axis_off()
    for axes, one, name in zip(panels, maps.transpose(2, 0, 1), names, strict=False):
        _show(axes, image, height, width)
        one = (one - one.min()) / max(np.ptp(one), 1e-12)
        _show(axes, one, height, width, cmap="viridis", alpha=0.15 + 0.75 * one)
        y, x = np.unravel_index(np.argmax(one), one.shape)
        axes.plot(x + 0.5, y + 0.5, "+", color=VERMILION, markersize=7)
        axes.set_title(name, fontsize=8)
    return _saved(figure, path)


def _rgb(color):
    return tuple(int(color[i : i + 2], 16) for i in (1, 3, 5))


def _axes(width, height, rows=1, columns=1, **kwargs):
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        message = "Figures need matplotlib: pip install 'rcn-keras[plot]'"
        raise ImportError(message) from error
    figure = Figure(figsize=(width, height), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False, **kwargs)
    for axes in panels.flat:
        axes.set_prop_cycle(color=CYCLE)
    return figure, panels.ravel()


def _show(axes, image, height, width, cmap="gray", alpha=None):
    # With this extent the axes are continuous pixels: the first centre is at 1/2.
    axes.imshow(image, cmap, alpha=alpha, extent=(0, width, height, 0))
    axes.set(xticks=[], yticks=[], xlim=(0, width), ylim=(height, 0))


def _saved(figure, path):
    if path is not None:
        kind = pathlib.Path(path).suffix[1:] or "png"
        with replaced(path) as temporary:
            figure.savefig(temporary, dpi=120, format=kind)
    return figure
