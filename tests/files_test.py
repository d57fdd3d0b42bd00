import pytest

from rcn_keras.errors import InputError
from rcn_keras.files import check_writable, replaced, write_csv


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
