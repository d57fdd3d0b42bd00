import pathlib
import xml.etree.ElementTree

import room_diagram


def test_every_room_of_the_package_is_in_the_picture():
    package = pathlib.Path("rcn_keras")
    rooms = {path.parent.name for path in package.glob("*/__init__.py")}
    rooms |= {path.stem for path in package.glob("*.py")}
    rooms = {room for room in rooms if not room.startswith("_")}
    picture = xml.etree.ElementTree.fromstring(room_diagram.svg(room_diagram.rooms()))
    text = picture.iterfind("{http://www.w3.org/2000/svg}text")
    assert {element.text for element in text} == rooms


def test_every_room_is_whole_in_the_picture():
    picture = xml.etree.ElementTree.fromstring(room_diagram.svg(room_diagram.rooms()))
    _, _, width, height = map(float, picture.get("viewBox").split())
    for box in picture.iterfind("{http://www.w3.org/2000/svg}rect"):
        x, y, w, h = (float(box.get(key)) for key in ("x", "y", "width", "height"))
        assert 0 < x < x + w < width and 0 < y < y + h < height


def test_a_room_stands_above_all_that_it_imports():
    edges = room_diagram.rooms()
    height = room_diagram.levels(edges)
    assert height["errors"] == 0 and height["cli"] == max(height.values())
    assert all(height[room] > height[r] for room in edges for r in edges[room])


def test_what_another_room_leads_to_has_no_line_of_its_own():
    edges = {"top": {"middle", "ground"}, "middle": {"ground"}, "ground": set()}
    assert room_diagram.direct(edges) == edges | {"top": {"middle"}}
