"""The texts of model cards: the frame, and what they say by the layout."""

from rcn_keras.layout import FACE_5, FACE_68

CARD = """---
library_name: keras
pipeline_tag: keypoint-detection
license: apache-2.0
datasets: [{data}]
tags: [{tag}, recombinator-networks]
---

# {name}

{summary}

    import rcn_keras
    {use}

## Training

| | |
|---|---|
| data | {trained_on}{used}, {validation} of them held out |
| recipe | in `config.json`; seed {seed}, {epochs}, {precision} |
| augmentation | {augmentation} |
| command | `{command}` |
{remark}| machine | {device}, backend {backend}; {minutes} minutes |
{further}| chosen by | lowest error on the validation faces{also} |

{rights}

## Numbers

{measure}

| set | protocol | faces | error | interval | failures > 10 % |
|---|---|---|---|---|---|
{numbers}

{notes}

## Limits

{limits} A
confidence is calibrated on validation faces; it is too high where photographs are much
harder than those. {face_score}

Reference: Honari et al., Recombinator Networks: Learning Coarse-to-Fine Feature
Aggregation, CVPR 2016.
"""


# What the numbers that chose a network are of.
VALIDATION = "validation, without keypoints at a photograph's border"


RIGHTS = """\
{sets} may be used for research only; their images are not in this package. The
weights are released under Apache-2.0; whether weights trained on research data may be
used otherwise is for their user to judge."""


LIMITS = """{limits} in which groups of age, skin and sex are not evenly
present: measure on your own faces before relying on it. Not for identifying people."""

# What a card says of the face score.
FACE_SCORE = """The
face score is calibrated on these and on {backgrounds:,} backgrounds beside them."""
NO_FACE_SCORE = "There is no face score."


# What a card says of its data, by the name of the layout.
BY_LAYOUT = {
    FACE_5.name: {
        "data": "MTFL",
        "trained_on": "`--data` of the command, in the layout of MTFL v1.0",
        "sets": "MTFL and AFLW",
        "notes": """`shift_corrected`: AFLW's labels lie one pixel further right and
down than the training labels; they are moved back by one pixel. `detector`: boxes by
MTCNN, a second pass where the square moves; the error is of the faces found.""",
        "limits": """Five points of faces seen from the front to three-quarter view;
trained on photographs of LFW (well-known people, press photographs) and of the web,""",
    },
    FACE_68.name: {
        "data": "300-W",
        "trained_on": "`--data` of the command, in the layout of 300-W: AFW, Helen and "
        "LFPW (officially 3,148)",
        "sets": "300-W's sources",
        "notes": """Distances over that of the eye centres, as in the paper, or
`outer_corners`: over that of the outer eye corners; `49`: without contour and inner
mouth corners; `occluded`: a black rectangle on each picture, as in training.
`detector`: boxes by MTCNN, a second pass where the square moves; the error is of the
faces found.""",
        "limits": """68 points of faces seen from the front to three-quarter view;
trained on few photographs of the web,""",
    },
}


OTHERS = {
    "data": "own",
    "trained_on": "`--data` of the command",
    "tag": "keypoints",
    "rights": """\
The pictures are not in this preset. Whether weights trained on them may be passed on is
for whoever holds the rights in them to say.""",
    "notes": """\
Unknown keypoints do not count, nor do instances whose unit of error is unknown.""",
    "limits": "Measure on pictures of your own before relying on it.",
}


MEASURE = """Errors in percent of the interocular distance (mean over keypoints and
faces, 95 % bootstrap interval). Boxes from the true keypoints as in the paper, unless
`detector`."""


MEASURE_OTHERS = """Errors in percent of {unit} (mean over keypoints
and instances, 95 % bootstrap interval), the network's input cut out as in training."""


MEASURE_DENOISER = """The input is the true keypoints, some of them moved anywhere.
Errors of the moved ones in percent of the interocular distance (95 % bootstrap
interval). On validation {moved} are moved, in the other rows as many as the protocol
says; `before` is the error of the input."""
