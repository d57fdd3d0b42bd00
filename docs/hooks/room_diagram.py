"""The rooms of the package as a picture, drawn from its imports (`rooms.svg`).

A room is a package or module directly under `rcn_keras`; a line leads from a room down
to one that it imports. What a room reaches through another is left out.
"""

import graphlib
import itertools

import grimp
from mkdocs.structure.files import File

ROW, BOX_HEIGHT, GAP = 64, 26, 10


def on_files(files, config):
    """Adds the picture to the site; called by MkDocs."""
    files.append(File.generated(config, "rooms.svg", content=svg(rooms())))


def rooms():
    """Room to the set of rooms that it imports."""
    graph = grimp.build_graph("rcn_keras", include_external_packages=False)
    names = sorted(graph.find_children("rcn_keras"))
    for name in names:
        graph.squash_module(name)
    edges = {}
    for name in names:
        room = name.removeprefix("rcn_keras.")
        imported = graph.find_modules_directly_imported_by(name) - {name, "rcn_keras"}
        edges[room] = {module.removeprefix("rcn_keras.") for module in imported}
    edges["models"].discard("presets")  # `KeypointModel.from_preset`, the one upwards
    return {
        room: {below for below in imported if not below.startswith("_")}
        for room, imported in edges.items()
        if not room.startswith("_")
    }


def levels(edges):
    """Room to its height: one above the highest of those that it imports."""
    height = {}
    for room in graphlib.TopologicalSorter(edges).static_order():
        height[room] = max((height[below] + 1 for below in edges[room]), default=0)
    return height


def direct(edges):
    """The edges that no longer way replaces."""
    reached = {}
    for room in graphlib.TopologicalSorter(edges).static_order():
        reached[room] = set().union(edges[room], *(reached[r] for r in edges[room]))
    return {
        room: {
            below
            for below in imported
            if not any(below in reached[other] for other in imported - {below})
        }
        for room, imported in edges.items()
    }


def svg(edges):
    """The picture, as text of an SVG file."""
    height = levels(edges)
    top = max(height.values())
    rows = [
        {room: 10 + 8 * len(room) for room in sorted(edges) if height[room] == level}
        for level in range(top + 1)
    ]
    spans = [sum(row.values()) + GAP * (len(row) + 1) for row in rows]
    place = {}
    for level, (row, span) in enumerate(zip(rows, spans)):
        left = (max(spans) - span) / 2 + GAP
        starts = itertools.accumulate([left, *(width + GAP for width in row.values())])
        y = 10 + (top - level) * ROW
        place |= {room: (x, y, row[room]) for room, x in zip(row, starts)}
    lines = []
    for room, below in direct(edges).items():
        x, y, width = place[room]
        for other in sorted(below):
            other_x, other_y, other_width = place[other]
            lines.append(
                f'<line x1="{x + width / 2}" y1="{y + BOX_HEIGHT}" '
                f'x2="{other_x + other_width / 2}" y2="{other_y}"/>'
            )
    boxes = [
        f'<rect x="{x}" y="{y}" width="{width}" height="{BOX_HEIGHT}" rx="4"/>'
        f'<text x="{x + width / 2}" y="{y + 18}">{room}</text>'
        for room, (x, y, width) in place.items()
    ]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {max(spans)} '
            f'{20 + top * ROW + BOX_HEIGHT}" font-family="monospace" font-size="13" '
            'text-anchor="middle">',
            "<style>rect{fill:#fff;stroke:#3f51b5}line{stroke:#9fa8da}</style>",
            *lines,
            *boxes,
            "</svg>",
        ]
    )
