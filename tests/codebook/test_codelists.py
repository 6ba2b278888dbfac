"""The reader of code lists, and every code list that ships."""

from pathlib import Path

import pytest

from calcinosis_registry.codebook import codelists

ROOT = Path(__file__).parents[2]
SHIPPED = sorted([*ROOT.glob("lesions/data/*.csv"), *ROOT.glob("patients/data/*.csv")])


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_reads_rows_below_the_comment_lines_and_keeps_letters_beyond_ascii(tmp_path):
    path = write(tmp_path / "list.csv", '# Title\n# Source: somewhere\ncode,label\nA,"Duruöz, hand"\nB,TIF1γ\n')
    assert codelists.read(path) == [{"code": "A", "label": "Duruöz, hand"}, {"code": "B", "label": "TIF1γ"}]
    assert codelists.about(path) == ["Title", "Source: somewhere"]


def test_a_hash_below_the_head_is_data(tmp_path):
    path = write(tmp_path / "hash.csv", "code,label\n#1,first\n")
    assert codelists.choices(path) == [("#1", "first")]


def test_a_row_of_another_length_is_named(tmp_path):
    path = write(tmp_path / "short.csv", "code,label\nA,one\nB\n")
    with pytest.raises(ValueError, match=r"short\.csv, row 2"):
        codelists.read(path)


@pytest.mark.parametrize("rows", ["A,one\nA,two\n", ",one\n"])
def test_a_repeated_or_empty_code_is_refused(tmp_path, rows):
    with pytest.raises(ValueError, match="repeated"):
        codelists.choices(write(tmp_path / "twice.csv", "code,label\n" + rows))


def test_changing_what_was_read_does_not_change_the_list(tmp_path):
    path = write(tmp_path / "kept.csv", "code,label\nA,one\n")
    codelists.read(path)[0]["label"] = "changed"
    assert codelists.read(path)[0]["label"] == "one"


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_every_shipped_list_names_its_source_and_keys_its_rows(path):
    assert any(line.startswith("Source:") for line in codelists.about(path))
    key, label, *_rest = codelists.read(path)[0]
    assert all(text for _code, text in codelists.choices(path, key, label))


def test_lists_ship_for_patients_and_lesions():
    assert {"sites.csv", "drugs.csv", "analytes.csv", "diagnoses.csv", "instruments.csv"} <= {p.name for p in SHIPPED}
