"""A network as a diagram: Figures 1 and 2 of the paper."""

from __future__ import annotations

import dataclasses
import textwrap
from typing import TYPE_CHECKING

from rcn_keras._types import PathLike
from rcn_keras.plotting.figures import BLACK, ORANGE, PINK, SKY, WHITE, panels, saved

if TYPE_CHECKING:
    import keras
    from matplotlib.figure import Figure


# Inches.
BOX, CIRCLE, HEIGHT, GAP, ROW = 0.62, 0.3, 0.42, 0.36, 0.74

LEGEND = {
    "C": "C convolution: kernel, maps; filled with ReLU, white without",
    "P": "P max pooling",
    "U": "U upsampling",
    "K": "K concatenation",
    "Σ": "Σ weighted sum (Eq. 1)",
    "+": "+ sum",
    "×": "× factor",
    "LCN": "LCN local contrast normalisation",
    "one-hot": "one-hot: a 1 in the likeliest cell of each map",
}

SYMBOLS = {
    "Add": "+",
    "BranchSum": "Σ",
    "Concatenate": "K",
    "KeypointOneHot": "one-hot",
    "LocalContrastNormalization": "LCN",
    "PeakOneHot": "one-hot",
}


@dataclasses.dataclass(eq=False)
class _Node:
    """One box or circle; `part` is the nested model that it lies in."""

    text: str
    side: int
    part: str
    column: int = 0
    filled: bool = False
    sources: list = dataclasses.field(default_factory=list)  # (node, label) pairs

    @property
    def width(self):
        return CIRCLE if len(self.text) == 1 else BOX


def plot_architecture(model: keras.Model, save: PathLike | None = None) -> Figure:
    """The diagram of a network of keypoint maps, drawn from its layers.

    A row is a resolution, coarse above fine, as in Figure 1: the trunk goes up on the
    left, each branch to the right. Models inside the model are drawn layer by layer, a
    colour each, as the two of Figure 2. Pooling and upsampling stand on the arrows.

    Args:
        model: functional `keras.Model` of `(N, S, S, channels)` to `(N, S, S, K)`:
            what `build_rcn`, `build_sumnet`, `build_denoiser` or `JointModel` gives, of
            any number of branches.
        save: path, `.svg` or `.png`, or `None`.

    Returns:
        `matplotlib.figure.Figure`

    Raises:
        ValueError: if the model does not give maps (TCDCN regresses).

    Example:
        >>> plot_architecture(rcn_keras.build_rcn(branches=4), "rcn4.svg")

    Reference:
        Honari et al., Recombinator Networks, CVPR 2016, Figures 1 and 2.
    """
    shapes = [tuple(output.shape) for output in model.outputs]
    if [len(shape) for shape in shapes] != [4]:
        raise ValueError(
            f"`model` must give maps, (N, S, S, K). Received: outputs of {shapes}"
        )
    nodes = _nodes(model.outputs[0])
    x = _positions(nodes)
    sides = sorted({node.side for node in nodes}, reverse=True)
    y = {node: ROW * sides.index(node.side) for node in nodes}

    right = max(x[node] + node.width / 2 for node in nodes) + 0.15
    left, bottom, top = -1.1, -0.6, ROW * (len(sides) - 1) + 0.45
    text = "   ".join(_legend(nodes))
    lines = textwrap.wrap(text, max(30, int((right - left) * 12)))
    bottom -= 0.16 * len(lines)
    figure, [axes] = panels(right - left, top - bottom + 0.3)
    axes.set(xlim=(left, right), ylim=(bottom, top), aspect="equal")
    axes.set_axis_off()
    axes.set_title(f"{model.name}: {model.count_params():,} parameters", fontsize=11)
    for row, side in enumerate(sides):
        if row % 2 == 0:
            span = ROW * (row - 0.5), ROW * (row + 0.5)
            axes.axhspan(*span, color="0.95", linewidth=0, zorder=0)
        axes.text(left + 0.1, ROW * row, f"{side}×{side}", va="center", fontsize=9)
    axes.text(left + 0.1, bottom, "\n".join(lines), va="bottom", fontsize=8)

    labelled = set()
    for node in nodes:
        for source, label in node.sources:
            _arrow(axes, nodes, source, node, x, y)
            if label and (source, label) not in labelled:
                labelled.add((source, label))
                _label(axes, source, label, x, y)
    parts = list(dict.fromkeys(node.part for node in nodes if node.part))
    colors = dict(zip(["", *parts], [SKY, SKY, ORANGE, PINK]))
    for node in nodes:
        _shape(axes, node, x[node], y[node], colors.get(node.part, SKY))
    if len(parts) > 1:
        for part in parts:
            axes.plot([], [], "s", color=colors[part], label=part)
        axes.legend(loc="upper right", fontsize=8, frameon=False, ncols=len(parts))
    return saved(figure, save)


def _nodes(output):
    """What is drawn of the model that gives these maps, sources first, softmax last."""
    nodes = []

    def drawn(tensor, known, part):
        """The node that a tensor comes from, and what stands on the arrow behind it."""
        if id(tensor) not in known:
            layer, call, position = tensor._keras_history
            inputs = layer._inbound_nodes[call].input_tensors
            sources = [drawn(one, known, part) for one in inputs]
            if hasattr(layer, "outputs"):  # a model
                inner = dict(zip(map(id, layer.inputs), sources))
                arrow = drawn(layer.outputs[position], inner, layer.name)
            elif passing := _passing(layer, tensor, sources):
                arrow = passing
            else:
                text, filled = _text(layer, tensor)
                side = tensor.shape[1]
                node = _Node(text, side, part, filled=filled, sources=sources)
                nodes.append(node)
                arrow = node, ""
            known[id(tensor)] = arrow
        return known[id(tensor)]

    source = drawn(output, {}, "")
    text = f"softmax\n{output.shape[-1]}"
    nodes.append(_Node(text, output.shape[1], "", sources=[source]))
    return nodes


def _passing(layer, tensor, sources):
    """A layer that is a label on an arrow: its source and the label; or `None`."""
    kind = type(layer).__name__
    if kind == "MaxPooling2D":
        return sources[0][0], "P {}×{}".format(*layer.pool_size)
    if kind in ("TilingUpsampling2D", "UpSampling2D", "Cropping2D"):
        source = sources[0][0]
        return source, f"U ×{tensor.shape[1] / source.side:g}"
    return None


def _text(layer, tensor):
    """What stands in a node, and whether it is filled."""
    kind = type(layer).__name__
    if kind.endswith("Conv2D"):
        kernel = "{}×{}".format(*layer.kernel_size)
        filled = layer.activation.__name__ != "linear"
        return f"C {kernel}\n{layer.filters}", filled
    if kind == "InputLayer":
        return f"input\n{tensor.shape[-1]}", False
    if kind == "Rescaling":
        return f"× {layer.scale:.3g}", False
    return SYMBOLS.get(kind, textwrap.fill(kind, 10)), False


def _positions(nodes):
    """The horizontal centre of each node: behind its sources, those that it is only
    pooled from below it."""
    taken = set()
    for node in nodes:
        columns = [
            source.column + (not label.startswith("P"))
            for source, label in node.sources
        ]
        node.column = max(columns, default=0)
        while (node.side, node.column) in taken:
            node.column += 1
        taken.add((node.side, node.column))
    centers, start = {}, 0.0
    for column in range(max(node.column for node in nodes) + 1):
        width = max((n.width for n in nodes if n.column == column), default=0)
        centers[column] = start + width / 2
        start += width + GAP
    return {node: centers[node.column] for node in nodes}


def _arrow(axes, nodes, source, target, x, y):
    """To the right along the row, then up or down; under what is in the way."""
    between = [
        node
        for node in nodes
        if node.side == source.side == target.side
        and source.column < node.column < target.column
    ]
    if source.side != target.side:
        step = 1 if y[target] > y[source] else -1
        end = x[target], y[target] - step * _half(target)
        if x[source] == x[target]:
            path = [(x[source], y[source] + step * _half(source)), end]
        else:
            path = [(x[source] + source.width / 2, y[source])]
            path += [(x[target], y[source]), end]
    elif between:
        under = y[source] - HEIGHT / 2 - 0.14
        path = [(x[source], y[source] - _half(source)), (x[source], under)]
        path += [(x[target], under), (x[target], y[target] - _half(target))]
    else:
        path = [(x[source] + source.width / 2, y[source])]
        path += [(x[target] - target.width / 2, y[target])]
    axes.plot(*zip(*path), color="0.3", linewidth=0.9, zorder=1)
    style = {"arrowstyle": "-|>", "color": "0.3", "shrinkA": 0, "shrinkB": 0}
    style |= {"linewidth": 0.9, "mutation_scale": 7}
    axes.annotate("", path[-1], path[-2], arrowprops=style, zorder=1)


def _label(axes, source, label, x, y):
    """Beside the first part of an arrow: above it, or left of a pooling one."""
    if label.startswith("P"):
        place = x[source] - 0.05, y[source] + ROW / 2
        axes.text(*place, label, ha="right", va="center", fontsize=7)
    else:
        place = x[source] + source.width / 2 + 0.04, y[source] + 0.03
        axes.text(*place, label, ha="left", va="bottom", fontsize=7)


def _shape(axes, node, x, y, color):
    from matplotlib import patches

    style = {"edgecolor": BLACK, "linewidth": 0.9, "zorder": 2}
    style["facecolor"] = color if node.filled else WHITE
    if len(node.text) == 1:
        shape = patches.Circle((x, y), CIRCLE / 2, **style)
    else:
        corner = x - node.width / 2, y - HEIGHT / 2
        round_box = patches.BoxStyle("Round", pad=0, rounding_size=0.06)
        size = node.width, HEIGHT
        shape = patches.FancyBboxPatch(corner, *size, boxstyle=round_box, **style)
    axes.add_patch(shape)
    size = 10 if len(node.text) == 1 else 8
    axes.text(x, y, node.text, ha="center", va="center", fontsize=size, zorder=3)


def _half(node):
    return (CIRCLE if len(node.text) == 1 else HEIGHT) / 2


def _legend(nodes):
    """The lines of the legend for what is in the diagram."""
    texts = [node.text for node in nodes]
    texts += [label for node in nodes for _, label in node.sources]
    return [
        entry
        for sign, entry in LEGEND.items()
        if any(text.split()[:1] == [sign] for text in texts)
    ]
