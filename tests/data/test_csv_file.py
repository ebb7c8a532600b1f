"""CSV files: every line is a sample, every number is checked, every error says where."""

import gzip
import tracemalloc

import numpy as np
import pytest

from fastmlp.data import csv_reader, csv_text, load_csv
from fastmlp.errors import FileFormatError

FLOWERS = "length,width,kind\n5.1,3.5,rose\n4.9,3.0,lily\n6,2e-1,rose\n"


@pytest.fixture
def write(tmp_path):
    """Write a file and return its path."""

    def write(text, name="file.csv"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def test_names_numbers_and_classes(write):
    table = load_csv(write(FLOWERS), label="kind")
    np.testing.assert_array_equal(table.X, np.float32([[5.1, 3.5], [4.9, 3], [6, 0.2]]))
    assert table.X.dtype == np.float32
    assert table.y.tolist() == [1, 0, 1]
    assert (table.class_names, table.feature_names, table.name) == (
        ("lily", "rose"),
        ("length", "width"),
        "file.csv",
    )


@pytest.mark.parametrize("label", [0, -785])
@pytest.mark.parametrize("zipped", [False, True])
def test_no_sample_of_mnist_is_lost(write, zipped, label):
    """785 columns, the label first, no header: the first line is a sample, too."""
    random = np.random.default_rng(3)
    pixels, labels = random.integers(0, 256, (50, 784)), random.integers(0, 10, 50)
    text = "".join(",".join(map(str, [y, *x])) + "\n" for x, y in zip(pixels, labels, strict=True)).encode()
    path = write(gzip.compress(text) if zipped else text)
    for dtype in ("float32", "float64", "uint8"):
        table = load_csv(path, label=label, dtype=dtype)
        np.testing.assert_array_equal(table.X, pixels)
        np.testing.assert_array_equal(table.y, labels)
        assert (table.X.dtype, table.feature_names) == (dtype, ())


def test_label_last_and_text_without_a_header(write):
    table = load_csv(write("5.1,3.5,rose\n4.9,3.0,lily"), label=-1)
    assert (len(table.X), table.class_names, table.y.tolist()) == (2, ("lily", "rose"), [1, 0])


def test_targets(write):
    path = write("a,b,c,d\n1,2,3,4\n5,6,7,8\n")
    assert load_csv(path, targets="c").y.tolist() == [3, 7]
    table = load_csv(path, targets=["d", 0])
    assert table.y.tolist() == [[4, 1], [8, 5]]
    assert (table.feature_names, table.y.dtype, table.class_names) == (("b", "c"), np.float32, ())
    assert load_csv(path, targets=[1]).y.shape == (2, 1)
    assert load_csv(path).y is None


def test_features_in_another_order_and_columns_left_out(write):
    path = write("id,a,b,name\nx1,1,2,Ann\nx2,3,4,Bob\n")
    assert load_csv(path, features=["b", "a"]).X.tolist() == [[2, 1], [4, 3]]
    assert load_csv(path, drop=["id", -1]).X.tolist() == [[1, 2], [3, 4]]


def test_the_classes_of_another_file(write):
    trained = load_csv(write(FLOWERS), label="kind")
    other = write("kind,width,length\nrose,1,2\n", "other.csv")
    table = load_csv(other, label="kind", features=trained.feature_names, class_names=trained.class_names)
    assert (table.X.tolist(), table.y.tolist()) == ([[2, 1]], [1])
    unknown = write("length,width,kind\n1,2,rose\n3,4,oak\n", "unknown.csv")
    with pytest.raises(
        FileFormatError,
        match=r"line 3, column 3 \('kind'\): expected one of the classes lily, rose, got 'oak'",
    ):
        load_csv(unknown, label="kind", class_names=trained.class_names)


@pytest.mark.parametrize(
    ("text", "header", "samples"),
    [
        ("1,2\n3,4\n", None, 2), ("a,b\n3,4\n", None, 1), ("1,2\n3,4\n", True, 1), ("1,2\n3,4\n", False, 2),
        ("0,1,2,3\n1,1,1,1\n", True, 1), ("0,1,2,3\n1,1,1,1\n", False, 2), ("1,?\n3,4\n", None, 2),
        ("\n\n1,2\n3,4", None, 2), ("\ufeffa,b\n1,2\n", None, 1), ("1,2\r\n\r\n3,4\r\n\r\n", None, 2),
        ('"a","b"\n"1","2"\n', None, 1), ("a;b\n1;2\n", None, 1), ("a\tb\n1\t2\n", None, 1), ("1|2\n", None, 1),
    ],
)  # fmt: skip
def test_header_and_forms(write, text, header, samples):
    assert load_csv(write(text), header=header, missing="nan").X.shape[0] == samples


@pytest.mark.parametrize("first", ["0,1,2,3", "1,b,3", "id,2019,2020", ",,"])
def test_a_first_line_that_can_be_both_is_asked_about(write, first):
    path = write(f"{first}\n" + ",".join("1" * len(first.split(","))) + "\n")
    with pytest.raises(
        FileFormatError, match=r"line 1: these may be names or a sample: .*header=True or header=False"
    ):
        load_csv(path)


def test_missing_numbers(write):
    path = write("a,b\n1,\n?,2\nNA, nan \n")
    with pytest.raises(
        FileFormatError, match=r"line 2, column 2 \('b'\): expected a number, got nothing; .*missing='nan'"
    ):
        load_csv(path)
    np.testing.assert_array_equal(
        load_csv(path, missing="nan").X, [[1, np.nan], [np.nan, 2], [np.nan, np.nan]]
    )


@pytest.mark.parametrize("block", [16, 40, 2**22])
def test_the_same_for_blocks_and_shelves_of_any_size(write, monkeypatch, block):
    monkeypatch.setattr(csv_text, "_BLOCK", block)
    monkeypatch.setattr(csv_reader, "_SHELF", block)
    numbers = np.random.default_rng(4).normal(size=(100, 3))
    lines = [f"{a!r},{b:.18e},{c!r},k{i % 7}\n" for i, (a, b, c) in enumerate(numbers.tolist())]
    lines[50] = "1e-300,123456789012345678901234567890,1e+300,k1\n"
    numbers[50] = [1e-300, 123456789012345678901234567890, 1e300]
    table = load_csv(write("x,y,z,kind\n" + "\n".join(lines)), label="kind", dtype="float64")
    np.testing.assert_array_equal(table.X, numbers)
    assert table.y.tolist() == [1 if i == 50 else i % 7 for i in range(100)]


ERRORS = {
    "word": ("a,b\n1,2\n3,x4\n", {}, r"file.csv: line 3, column 2 \('b'\): expected a number, got 'x4'; .*--drop b"),
    "underscore": ("a,b\n1,1_0\n", {}, "expected a number, got '1_0'"),
    "infinite": ("a,b\n1,inf\n", {}, "expected a number, got 'inf'"),
    "beyond float64": ("a,b\n1,1e999\n", {}, "expected a number of float64, got '1e999'"),
    "beyond float32": ("a,b\n1,1e39\n", {}, r"line 2, .*: float32 cannot hold 1e\+39; use dtype='float64'"),
    "target beyond float32": ("a,b\n1,1e39\n", {"targets": "b"}, "float32 cannot hold 1e"),
    "no byte": ("1,2\n3,256\n", {"dtype": "uint8"}, r"line 2, column 2: uint8 cannot hold 256"),
    "negative byte": ("1,-2\n", {"dtype": "uint8"}, "uint8 cannot hold -2"),
    "broken byte": ("1,2.5\n", {"dtype": "uint8"}, "uint8 cannot hold 2.5"),
    "few": ("1,2,3\n4,5\n", {}, "line 2: expected 3 columns, as in the first line, divided by ',', got 2"),
    "many": ("1,2\n3,4,5\n", {}, "line 2: expected 2 columns, .* got more than 2"),
    "blank lines count": ("1,2\n\n\n3,4,5\n", {}, "line 4: expected 2 columns"),
    "open quotes": ('a,b\n1,"2\n3,4\n', {}, "line 2, column 2 .*: its quotes do not end"),
    "long field": ("a,b\n1," + "z" * 1000 + "\n", {}, r"got 'z{40}\.\.\.'; correct"),
    "empty": ("", {}, "the file has no samples"),
    "blank": ("\n \n", {}, "the file has no samples"),
    "header only": ("a,b\n", {}, "the file has no samples, only a header"),
    "no such name": ("a,b\n1,2\n", {"label": "c"}, "line 1: there is no column 'c'; the columns are 'a', 'b'"),
    "two of a name": ("a,a\n1,2\n", {"label": "a"}, "there are several columns 'a'"),
    "no such number": ("1,2\n", {"label": 2}, "no column 2: expected one of the 2 columns, 0 to 1 or -1 to -2"),
    "label is a feature": ("a,b\n1,2\n", {"label": "a", "features": ["a"]}, r"column 1 .* is chosen more than once"),
    "no feature left": ("a\n1\n", {"label": "a"}, "no column is left .* divided by ','"),
    "index": (",a\n0,1\n", {}, r"column 1 has no name, .* \(drop=\[0\], --drop 0, which count from 0\)"),
    "no class": ("a,k\n1,x\n2,\n", {"label": "k"}, r"line 3, column 2 \('k'\): expected a class, got nothing"),
    "half a class": ("a,k\n1,0.5\n2,1\n", {"label": "k"}, r"the label 0.5 is not a whole number; .* targets"),
    "latin-1": ("a,k\n1,é\n".encode("latin-1"), {"label": "k"}, "column 2 .*: not UTF-8: .*encoding='cp1252'"),
    "latin-1 header": ("é,k\n1,2\n".encode("latin-1"), {}, "line 1: not UTF-8"),
    "utf-16": ("1,2\n".encode("utf-16"), {}, "it holds zero bytes; it looks like utf-16: give encoding='utf-16'"),
    "utf-16 without a mark": ("1,2\n".encode("utf-16-be"), {}, "give encoding='utf-16-be'"),
    "zero bytes": (b"1,2\n\0\0\0", {}, "it holds zero bytes; save it as CSV in UTF-8"),
    "not in this encoding": ("a,k\n1,é\n".encode("latin-1"), {"encoding": "ascii"}, "file.csv: not ascii: .*0xe9"),
    "half a character": ("a\n1\n".encode("utf-16")[:-1], {"encoding": "utf-16"}, "not utf-16: .*truncated"),
    "no encoding": ("1,2\n", {"encoding": "utf8000"}, "encoding: expected .* utf-16 or cp1252, got 'utf8000'"),
    "encoding of bytes": ("1,2\n", {"encoding": "zlib"}, "encoding: expected .* got 'zlib'"),
    "number for an encoding": ("1,2\n", {"encoding": 8}, "encoding: expected .* got 8"),
    "return within the header": ("a,b\rc\n1,2\n", {}, "line 2: expected 2 columns, .* got 1"),
    "return within a line": ("a,b\n1,2\r3\n", {}, "line 3: expected 2 columns, .* got 1"),
    "endless name": ("a" * 200_000 + ",b\n1,2\n", {}, "line 1: this is not a line of a CSV file: field larger"),
    "half a gzip": (gzip.compress(b"1,2\n" * 1000)[:-9], {}, "damaged or truncated gzip data"),
    "label and targets": ("1,2\n", {"label": 0, "targets": 1}, "got both"),
    "delimiter": ("1,2\n", {"delimiter": ",,"}, "expected as delimiter one character, .* got ',,'"),
    "delimiter of numbers": ("1,2\n", {"delimiter": "."}, "expected as delimiter one character"),
    "text as list": ("a,b\n1,2\n", {"drop": "a"}, "expected lists of columns"),
    "bytes that are missing": ("1,\n", {"dtype": "uint8", "missing": "nan"}, "uint8 cannot hold missing"),
    "classes without a label": ("1,2\n", {"class_names": ["a"]}, "class_names are for a column of classes"),
    "unknown type": ("1,2\n", {"dtype": "int8"}, "dtype: expected one of .*, got 'int8'"),
    "unknown way": ("1,2\n", {"missing": "drop"}, "missing: expected one of error, nan, got 'drop'"),
}  # fmt: skip


@pytest.mark.survives("R17")
@pytest.mark.parametrize("case", ERRORS)
def test_errors(write, case):
    text, options, message = ERRORS[case]
    with pytest.raises(ValueError, match=message) as caught:
        load_csv(write(text), **options)
    assert "\n" not in str(caught.value)


def test_files_that_are_not_there(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no such file"):
        load_csv(tmp_path / "none.csv")
    with pytest.raises(FileFormatError, match="not a regular file"):
        load_csv(tmp_path)


@pytest.mark.survives("R17")
def test_a_line_without_an_end(write, monkeypatch):
    monkeypatch.setattr(csv_text, "_BLOCK", 100)
    monkeypatch.setattr(csv_text, "_LONGEST_LINE", 1000)
    with pytest.raises(FileFormatError, match="a line is longer than 1,000 bytes"):
        load_csv(write("1," * 1000))


@pytest.mark.survives("R17")
@pytest.mark.parametrize("end", ["\r", "\r\n", "\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "cp1252", "cp037", "utf-8-sig"])
def test_encodings_and_line_ends(write, encoding, end, monkeypatch):
    monkeypatch.setattr(csv_text, "_BLOCK", 7)  # within characters and line ends
    text = "größe,art\n1.5,Käfer\n\n2.5,Öl\n".replace("\n", end)
    table = load_csv(write(text.encode(encoding)), label="art", encoding=encoding)
    assert (table.X.tolist(), table.feature_names) == ([[1.5], [2.5]], ("größe",))
    assert (table.class_names, table.y.tolist()) == (("Käfer", "Öl"), [0, 1])


@pytest.mark.survives("R17")
@pytest.mark.parametrize("end", ["\r", "\n"])
def test_lines_are_counted_whatever_ends_them(write, end):
    with pytest.raises(FileFormatError, match=r"line 3, column 1 \('a'\): expected a number, got 'x'"):
        load_csv(write("a,b\n1,2\nx,4\n".replace("\n", end)))


def test_r14_gzip_data_that_expand_without_limit_are_refused(write, monkeypatch):
    packed = gzip.compress(b"0,0\n" * 2**21)  # 8 MiB of text from 8 kB
    monkeypatch.setattr(csv_text, "_ALWAYS_EXPANDED", 2**20)
    monkeypatch.setattr(csv_text, "_BLOCK", 2**18)
    tracemalloc.start()
    with pytest.raises(
        FileFormatError, match=r"the gzip data expand to more than 1,\d{3},\d{3} bytes.* plain file"
    ):
        load_csv(write(packed))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 128 * 2**20
