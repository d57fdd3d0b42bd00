"""Callbacks of a training: progress, validation, the log, the files to resume from."""

from __future__ import annotations

import pathlib
import time
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from rcn_keras._types import Echo, PathLike
from rcn_keras.errors import InputError
from rcn_keras.evaluation.errors import normalized_errors
from rcn_keras.evaluation.inference import decoded_model, run
from rcn_keras.files import read_csv, replaced, write_csv
from rcn_keras.training.normalization import fold

if TYPE_CHECKING:
    from rcn_keras.models import KeypointModel


COLUMNS = [
    "epoch",
    "loss",
    "val_nme",
    "val_nme_clean",
    "val_nme_clean_grid",
    "learning_rate",
    "images_per_second",
    "seconds",
]


class Progress(keras.callbacks.Callback):
    """A line every few seconds with throughput and time left.

    Args:
        epochs, steps, batch_size: ints of the run.
        echo: callable that takes a line.
        every: float, seconds between two lines.
    """

    def __init__(
        self, epochs: int, steps: int, batch_size: int, echo: Echo, every: float = 15.0
    ):
        super().__init__()
        self.epochs, self.steps, self.batch_size = epochs, steps, batch_size
        self.echo, self.every = echo, every
        self.images_per_second = 0.0

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self.epoch = epoch
        self.started = self.reported = time.monotonic()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any]) -> None:
        now = time.monotonic()
        done = batch + 1
        self.images_per_second = done * self.batch_size / (now - self.started)
        if now - self.reported >= self.every:
            self.reported = now
            left = (self.epochs - self.epoch) * self.steps - done
            minutes = left * self.batch_size / self.images_per_second / 60
            self.echo(
                f"epoch {self.epoch + 1}/{self.epochs} step {done}/{self.steps} "
                f"loss {logs['loss']:.3f} {self.images_per_second:.0f} images/s "
                f"{minutes:.0f} min left"
            )


class Validation(keras.callbacks.Callback):
    """Measures, keeps the best weights, writes the log and the state to resume from.

    The error that selects is the mean sub-pixel one of the validation faces as they
    are; that of the same faces jittered (and occluded), which the original selects by,
    is logged beside.

    Args:
        out: folder.
        network: `KeypointModel` that is kept: what is trained, or what its normalised
            twin is folded into.
        clean, jittered: tuples of the model's inputs, `(N, K, 2)` true keypoints and
            `(N, K)` bool, those that count (`tasks.Task`).
        first_epoch: int, epochs already done; later rows of the log are dropped.
        patience: int or `None`.
        progress: `Progress`, for the throughput.
    """

    def __init__(
        self,
        out: pathlib.Path,
        network: KeypointModel,
        clean: tuple,
        jittered: tuple,
        first_epoch: int,
        patience: int | None,
        progress: Progress,
    ):
        super().__init__()
        self.out, self.network = out, network
        self.clean, self.jittered = clean, jittered
        self.patience, self.progress = patience, progress
        self.rows = read_log(out / "log.csv")[:first_epoch]
        self.decoded = decoded_model(network)

    def exhausted(self) -> bool:
        """Whether early stopping has ended the run."""
        if self.patience is None or not self.rows:
            return False
        errors = [row["val_nme_clean"] for row in self.rows]
        return len(errors) - 1 - int(np.argmin(errors)) >= self.patience

    def on_epoch_end(self, epoch: int, logs: dict[str, Any]) -> None:
        row: dict[str, Any] = {column: None for column in COLUMNS}
        row.update(
            epoch=epoch + 1,
            loss=float(logs["loss"]),
            learning_rate=float(np.asarray(self.model.optimizer.learning_rate)),
            images_per_second=round(self.progress.images_per_second, 1),
        )
        if self.model is not self.network:
            fold(self.model, self.network)
        row |= self.errors()
        if not np.isfinite(row["val_nme_clean"]):
            raise InputError(
                f"{self.out}: epoch {epoch + 1}: the network produces NaN "
                f"({self.model.name}, loss {row['loss']:.4g}). If the recipe's "
                "precision is not float32, try --precision float32; otherwise a lower "
                "--learning-rate. The files of the epochs before are untouched"
            )
        row["seconds"] = round(time.monotonic() - self.progress.started, 1)
        best = min((r["val_nme_clean"] for r in self.rows), default=np.inf)
        self.rows.append(row)
        if row["val_nme_clean"] < best:
            with replaced(self.out / "best.weights.h5") as temporary:
                self.network.save_weights(temporary)
        # The log first: a row without its `last.keras` is dropped on resuming.
        write_log(self.out / "log.csv", self.rows)
        with replaced(self.out / "last.keras") as temporary:
            self.model.save(temporary)
        self.progress.echo(
            f"epoch {epoch + 1}/{self.progress.epochs} loss {row['loss']:.4f} "
            f"{validation_text(row)}; {row['images_per_second']:.0f} images/s"
            + (" (best)" if row["val_nme_clean"] < best else "")
        )
        if self.exhausted():
            self.progress.echo(f"no better for {self.patience} epochs: stopping")
            self.model.stop_training = True

    def errors(self) -> dict[str, float]:
        """The validation columns of the log, fractions."""
        jittered, _ = self._measured(*self.jittered)
        clean, grid = self._measured(*self.clean)
        return {"val_nme": jittered, "val_nme_clean": clean, "val_nme_clean_grid": grid}

    def _measured(self, inputs, keypoints, counted):
        """Mean sub-pixel and mean paper-grid error."""
        out = run(self.decoded, inputs)
        layout = self.network.layout
        subpixel = normalized_errors(keypoints, out["local_mean"], layout)
        grid = normalized_errors(
            keypoints, out["argmax"], layout, grid=True, size=self.network.input_size
        )
        return float(subpixel[counted].mean()), float(grid[counted].mean())


def validation_text(row: dict[str, Any]) -> str:
    """The validation errors of a log's row as a text."""
    return (
        f"validation {100 * row['val_nme']:.2f} % jittered, "
        f"{100 * row['val_nme_clean']:.2f} % clean, "
        f"{100 * row['val_nme_clean_grid']:.2f} % clean on the paper grid"
    )


def read_log(path: pathlib.Path) -> list[dict[str, Any]]:
    """The rows of a training log as dicts of numbers; none if there is no file.

    Raises:
        InputError: if it is no training log.
    """
    if not path.exists():
        return []
    rows = read_csv(path, COLUMNS, "a training's log")
    try:
        return [
            {k: int(v) if k == "epoch" else float(v) for k, v in row.items()}
            for row in rows
        ]
    except ValueError as error:
        raise InputError(f"{path}: not a training's log ({error})") from None


def write_log(path: PathLike, rows: list[dict[str, Any]]) -> None:
    """Writes the rows of a training log as CSV."""
    write_csv(path, rows, COLUMNS)
