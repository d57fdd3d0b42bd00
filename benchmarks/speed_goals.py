"""What was to be reached in speed, beside what was measured; see `faces_per_second`."""

import dataclasses

LARGER_IS_BETTER = "photographs/s"


@dataclasses.dataclass(frozen=True)
class Goal:
    """A quantity, at most (photographs a second: at least) `must`, better `aim`."""

    quantity: str
    unit: str
    must: float
    aim: float

    def row(self, contender, measured):
        sign = -1 if self.unit == LARGER_IS_BETTER else 1
        measured = float(measured)
        return {
            "quantity": self.quantity,
            "contender": contender,
            "unit": self.unit,
            "measured": f"{measured:.5g}",
            "must": self.must,
            "must met": "yes" if sign * measured <= sign * self.must else "no",
            "aim": self.aim,
            "aim met": "yes" if sign * measured <= sign * self.aim else "no",
        }


SQUARE = Goal("crop and network, batch 1, over dlib's predictor", "ratio", 1.2, 0.7)
DEFAULT = Goal("default prediction, batch 1, over dlib's predictor", "ratio", 1.8, 1)
FULL = Goal("network, batch 64, over the float32 floor", "ratio", 1, 0.6)
JOINT = {
    "1": Goal("joint_300w, batch 1", "ms a face", 9, 5),
    "64": Goal("joint_300w, batch 64", "ms a face", 6, 3),
}
FILE = Goal("512x512 file to points", "ms", 25, 15)
PLAIN_FILE = Goal("512x512 file to points, plain install", "ms", 55, 25)
FOLDER = Goal("folder of 640x480 files", LARGER_IS_BETTER, 35, 60)
COLD = Goal("command line, cold", "s", 1.5, 0.8)
MEMORY = Goal("command line, cold", "MB", 300, 200)
EXACT = Goal("keypoints apart from Keras's, 64 faces", "pixels", 1e-3, 1e-3)
PRECISION = Goal("error on AFLW above float32's", "% points", 0.02, 0)

CELL = {"512x512 file to points": FILE, "folder of 640x480 files": FOLDER}


def goals(faces, whole, exact):
    """Rows of the goals.

    Args:
        faces: rows of faces_per_second.csv; the first is dlib's.
        whole: rows of photographs_per_second.csv.
        exact: dict, runtime to its error on AFLW in percent and to the farthest that a
            keypoint is from Keras's, in pixels.
    """
    return _of_faces(faces) + _of_photographs(whole) + _of_precision(exact)


def _of_faces(faces):
    rows = []
    floor = next(row for row in faces if "floor" in row["contender"])
    dlib = faces[0]["contender"].startswith("dlib")
    for row in faces:
        preset, _, rest = row["contender"].partition(", ")
        runtime, _, what = rest.rpartition(", ")
        batch, median = str(row["batch"]), row["ms a face, median"]
        if preset == "rcn6_mtfl" and batch == "1" and dlib:
            goal = {"known square": SQUARE, "default": DEFAULT}.get(what)
            rows += [goal.row(runtime, row["ratio"])] if goal else []
        if preset == "rcn6_mtfl" and batch == "64" and what == "network alone":
            ratio = float(median) / float(floor["ms a face, median"])
            rows.append(FULL.row(runtime, ratio))
        if preset == "joint_300w" and what == "network alone":
            rows.append(JOINT[batch].row(runtime, median))
    return rows


def _of_photographs(whole):
    rows = []
    for row in whole:
        name = f"{row['detector']}, {row['runtime']}"
        if row["what"] in CELL:
            goal = CELL[row["what"]]
            if goal is FILE and row["detector"] == "mtcnn":
                goal = PLAIN_FILE
            rows.append(goal.row(name, row["median"]))
        elif row["runtime"] != "keras":
            rows.append(COLD.row(name, row["median"]))
            rows.append(MEMORY.row(name, row["MB"]))
    return rows


def _of_precision(exact):
    rows = []
    for runtime, (error, apart) in exact.items():
        if runtime in ("openvino", "onnxruntime", "litert"):
            rows.append(EXACT.row(runtime, apart))
        elif runtime != "keras":
            rows.append(PRECISION.row(runtime, error - exact["keras"][0]))
    return rows
