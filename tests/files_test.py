import pytest

from rcn_keras.errors import InputError
from rcn_keras.files import check_writable, read_csv, replaced, write_csv


def test_writes_beside_and_renames(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("old")
    with replaced(str(path)) as temporary:
        assert temporary.parent == tmp_path and temporary.suffix == ".csv"
        temporary.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_failure_leaves_the_old_file(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("old")
    with pytest.raises(RuntimeError, match="half way"), replaced(path) as temporary:
        temporary.write_text("ne")
        raise RuntimeError("half way")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_nothing_written_is_an_error(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("old")
    with pytest.raises(FileNotFoundError), replaced(path):
        pass
    assert path.read_text() == "old"


def test_a_folder_that_is_missing(tmp_path):
    path = tmp_path / "none" / "table.csv"
    with pytest.raises(FileNotFoundError), replaced(path) as temporary:
        temporary.write_text("new")


def test_check_writable(tmp_path):
    check_writable(tmp_path / "new" / "folder")
    assert (tmp_path / "new" / "folder").is_dir()
    assert not list((tmp_path / "new" / "folder").iterdir())
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot write there"):
        check_writable(tmp_path / "file" / "inside")


def test_rows_of_different_columns_as_csv(tmp_path):
    path = tmp_path / "new" / "rows.csv"
    write_csv(path, [{"a": 1, "b": "ä"}, {"a": 2, "c": 3}])
    assert path.read_text(encoding="utf-8") == "a,b,c\n1,ä,\n2,,3\n"
    write_csv(path, [{"a": 1, "b": 2}], ["b", "a"])
    assert path.read_text(encoding="utf-8") == "b,a\n2,1\n"


@pytest.mark.parametrize(
    "content, reason",
    [
        (b"a,b\n1,\xff\n", "found byte 0xff"),
        (b"a,c\n1,2\n", "no column b"),
        (b"a,b\n1,2\n3\n", "row 2 has another number of cells"),
        (b"a,b\n1,2,3\n", "row 1 has another number of cells"),
        (b'a,b\n1,"2\n', "unexpected end of data"),
        (None, "a folder, not a file"),
    ],
)
def test_what_is_wrong_with_a_table_is_named(tmp_path, content, reason):
    path = tmp_path / "table.csv"
    path.write_bytes(content) if content else path.mkdir()
    with pytest.raises(InputError, match=f"table.csv: not a table .*{reason}"):
        read_csv(path, ("a", "b"), "a table")


def test_a_table_is_read_by_its_mark_and_may_be_empty(tmp_path):
    path = tmp_path / "table.csv"
    path.write_bytes("a,b\r\n1,é\r\n".encode("utf-16"))
    assert read_csv(path, ("b",), "a table") == [{"a": "1", "b": "é"}]
    path.write_text("")
    assert read_csv(path, ("b",), "a table") == []
