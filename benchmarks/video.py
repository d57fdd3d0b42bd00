"""Tracking and smoothing on a video whose every keypoint is known.

The shipped photograph's face is moved, turned, scaled and dimmed along a known path,
and a second copy of it, mirrored, crosses behind the first: 300 frames at 30 a second,
with the noise of a camera. The first 60 frames stand still. True keypoints are those
that the network finds on the photograph as it is, moved along the path, so that errors
are of tracking and smoothing, not of the network.

- error: mean distance to the true keypoints, in percent of the eye distance.
- jitter: root mean square of the second differences on the still frames, pixels.
- lag: how many frames the keypoints are behind at the fastest motion, by the regression
  of the error on the true motion.
- identities: faces in sight whose identity is that of the first frame, of all in sight.

Rows "as found" have no smoothing, rows "every frame" detect in every frame. Frames a
second are of the same frames in turns, without decoding; `times_every_frame` is against
the predictor alone, called for every frame. The last row is of a video of one face, the
photograph itself moved to and fro.
"""

import time

import common
import cv2
import numpy as np

from rcn_keras.faces.detect import get_detector
from rcn_keras.faces.images import read_image
from rcn_keras.layout import FACES
from rcn_keras.predictor import Predictor
from rcn_keras.video import Tracker

PHOTO = common.RESULTS.parent / "examples/astronaut.jpg"
BOX = [180, 65, 265, 172]  # of the face in it
CUT = np.array([105, 0, 345, 240])  # what of the photograph moves
RATE, STILL, SIZE = 30, 60, (640, 480)
WAYS = {
    "tracked, smoothed": {},
    "tracked, as found": {"smoothing": False},
    "every frame, as found": {"smoothing": False, "detect_every": 1},
}


def main():
    parser = common.parser(__doc__, "python benchmarks/video.py", data=False)
    common.count_option(parser, "--frames", 300, "of the video")
    common.count_option(parser, "--timed", 60, "frames of a turn of the speed test")
    common.count_option(parser, "--rounds", 3, "turns of the speed test")
    parser.add_argument("--preset", default="rcn6_mtfl")
    parser.add_argument(
        "--detector", default="mtcnn", help="mtcnn (default), or YuNet's .onnx file"
    )
    parser.add_argument("--runtime", default="auto", help="as that of Predictor")
    parser.add_argument(
        "--quiet-machine", action="store_true", help="nothing else runs: note that"
    )
    options = parser.parse_args()
    predictor = Predictor(
        options.preset,
        detector=get_detector(options.detector),
        runtime=options.runtime,
    )
    images, truths, visible = synthetic_video(predictor, options.frames)
    rows = []
    for way, arguments in WAYS.items():
        frames = run(predictor, images, way, arguments)
        rows.append({"way": way} | measures(frames, truths, visible))
    rows.append(dict.fromkeys(rows[0], "") | {"way": "one face, tracked, smoothed"})
    *rates, alone = speeds(predictor, images, WAYS.values(), options)
    one, alone_one = speeds(predictor, one_face(options.timed), [{}], options)
    compared = [*((rate, alone) for rate in rates), (one, alone_one)]
    for row, (rate, baseline) in zip(rows, compared):
        row["frames_per_second"] = f"{rate:.1f}"
        row["times_every_frame"] = f"{rate / baseline:.1f}"
        row["runtime"] = predictor.locator.runtime.name
        row["preset"], row["frames"] = options.preset, options.frames
        row["detector"] = options.detector.replace("\\", "/").split("/")[-1]
        row["machine"] = "quiet" if options.quiet_machine else "not quiet"
    print(common.markdown(rows))
    common.write_rows(options.results / "video.csv", rows)


def paths(count):
    """The similarities `(2, 2, 3)` of both faces in each frame, and their light."""
    moving = np.clip((np.arange(count) - STILL) / max(count - STILL, 1), 0, 1)
    turn = np.radians(20) * np.sin(2 * np.pi * 2 * moving)
    scale = 1 + 0.25 * np.sin(2 * np.pi * moving)
    light = 1 - 0.4 * np.sin(np.pi * moving) ** 2
    # Two crossings, the fastest motion in the middle of each.
    sway = 150 * np.cos(2 * np.pi * moving)
    bob = 25 * np.sin(2 * np.pi * 3 * moving)
    matrices = []
    for side in (-1, 1):
        a, b = scale * np.cos(side * turn), scale * np.sin(side * turn)
        middle = [SIZE[0] / 2 + side * sway, SIZE[1] / 2 + side * bob]
        # The second is mirrored.
        linear = np.stack([[-side * a, -b], [-side * b, a]]).transpose(2, 0, 1)
        shift = np.stack(middle, axis=1) - linear @ [120, 120]
        matrices.append(np.concatenate([linear, shift[..., None]], axis=2))
    return np.stack(matrices, axis=1), light


def synthetic_video(predictor, count):
    """The frames, true keypoints `(frames, 2, K, 2)`, and which faces are in sight."""
    photograph, layout = read_image(PHOTO), predictor.layout
    x0, y0, x1, y1 = CUT
    patch = np.ascontiguousarray(photograph[y0:y1, x0:x1])
    (face,) = predictor(photograph, boxes=[BOX])
    points = face.keypoints - CUT[:2]
    swapped = np.arange(layout.count)
    for one, other in layout.mirror_pairs:
        swapped[one], swapped[other] = other, one
    rows, columns = np.indices(patch.shape[:2]) + 0.5
    oval = ((columns - 120) / 105) ** 2 + ((rows - 120) / 118) ** 2
    mask = np.clip((1 - oval) * 8, 0, 1).astype("float32")
    ground = cv2.GaussianBlur(cv2.resize(photograph, SIZE), (0, 0), 25)
    matrices, light = paths(count)
    rng, images, truths = np.random.default_rng(0), [], []
    for pair, level in zip(matrices, light):
        image, truth = ground.astype("float32"), []
        for number in (1, 0):  # the second behind the first
            pixels = _of_pixels(pair[number])
            over = cv2.warpAffine(patch, pixels, SIZE, flags=cv2.INTER_CUBIC)
            share = cv2.warpAffine(mask, pixels, SIZE)[..., None]
            image = share * over + (1 - share) * image
            order = swapped if number == 1 else slice(None)
            moved = points @ pair[number][:, :2].T + pair[number][:, 2]
            truth.insert(0, moved[order])
        image = level * image + rng.normal(0, 2.5, image.shape)
        images.append(np.clip(np.rint(image), 0, 255).astype("uint8"))
        truths.append(truth)
    truths = np.array(truths)
    apart = np.abs(truths[:, 0].mean(axis=1) - truths[:, 1].mean(axis=1)).max(axis=1)
    size = np.ptp(truths[:, 0], axis=1).max(axis=1)
    # Of the face behind, nothing is asked while the other covers it.
    visible = np.stack([np.ones(count, bool), apart > 2.4 * size], axis=1)
    return images, truths, visible


def _of_pixels(matrix):
    """A map of continuous pixels as one of OpenCV's pixel indices."""
    shift = matrix[:, :2] @ [0.5, 0.5] + matrix[:, 2] - 0.5
    return np.concatenate([matrix[:, :2], shift[:, None]], axis=1)


def run(predictor, images, way, arguments):
    tracker, frames = Tracker(predictor, **arguments), []
    for number, image in enumerate(images):
        frames.append(tracker(image, number / RATE))
        common.progress(number + 1, len(images), f"frames {way}")
    return frames


def measures(frames, truths, visible):
    """The figures of one way; see the head of this file."""
    layout = FACES[truths.shape[2]]
    groups = [truths[:, :, list(part)].mean(axis=2) for part in layout.normalizer]
    eyes = np.linalg.norm(groups[0] - groups[1], axis=-1)
    found = np.full(truths.shape, np.nan)
    identities = np.full(truths.shape[:2], -1)
    for number, faces in enumerate(frames):
        for face in faces:
            away = np.linalg.norm(face.keypoints - truths[number], axis=-1).mean(axis=1)
            nearest = away.argmin()
            if away[nearest] < 0.5 * eyes[number, nearest]:
                found[number, nearest] = face.keypoints
                identities[number, nearest] = face.id
    distances = np.linalg.norm(found - truths, axis=-1).mean(axis=-1)
    errors = (100 * distances / eyes)[visible & np.isfinite(distances)]
    still = np.diff(found[5:STILL], 2, axis=0)
    kept = (identities == identities[0])[visible]
    velocity = np.gradient(truths.mean(axis=2), axis=0)  # pixels a frame
    fast = np.linalg.norm(velocity, axis=-1) >= 0.9 * np.linalg.norm(
        velocity, axis=-1
    ).max(axis=0)
    fast &= visible & np.isfinite(distances)
    behind = (truths - found).mean(axis=2)[fast]
    lag = np.sum(behind * velocity[fast]) / np.sum(velocity[fast] ** 2)
    return {
        "error_percent": f"{errors.mean():.2f}",
        "jitter_pixels": f"{np.sqrt(np.nanmean(still**2)):.4f}",
        "fastest_pixels_a_frame": f"{np.linalg.norm(velocity, axis=-1).max():.2f}",
        "lag_frames": f"{lag:.2f}",
        "found_percent": f"{100 * np.isfinite(distances)[visible].mean():.1f}",
        "identities_kept_percent": f"{100 * kept.mean():.1f}",
    }


def one_face(count):
    """Frames of the photograph moved to and fro."""
    photograph, images = read_image(PHOTO), []
    for number in range(count):
        x, y = 40 * np.sin(number / 9), 25 * np.sin(number / 7)
        matrix = np.array([[1, 0, 64 + x], [0, 1, y]])
        images.append(cv2.warpAffine(photograph, matrix, SIZE))
    return images


def speeds(predictor, images, ways, options):
    """Frames a second of trackers with these arguments, and last of the predictor
    alone: the median over the turns."""
    seconds = [[] for _ in range(len(ways) + 1)]
    images = images[: options.timed]
    for _ in range(options.rounds):
        finders = [Tracker(predictor, **arguments) for arguments in ways]
        finders.append(lambda image, _: predictor(image))
        for find, times in zip(finders, seconds):
            start = time.perf_counter()
            for number, image in enumerate(images):
                find(image, number / RATE)
            times.append(time.perf_counter() - start)
    return [len(images) / np.median(times) for times in seconds]


if __name__ == "__main__":
    common.run(main)
