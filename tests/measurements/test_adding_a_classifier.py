"""Adding a probe classifier takes one file: here the one that docs/own_parts.md shows."""

from adding_support import ProjectCopy
from docs_pages import blocks

FILE = "src/dgr/measurements/classifiers/centroid.py"
CLASSIFIER = blocks("own_parts.md")[FILE]


def test_it_is_fitted_and_in_the_table_under_its_label(tmp_path, tiny_data) -> None:
    copy = ProjectCopy(tmp_path, tiny_data)
    copy.write(FILE, CLASSIFIER)
    for other in ("T5", "T6"):
        (copy.root / f"paper_configs/mini/{other}.yaml").unlink()
    copy.edit_yaml("paper_configs/mini/T1.yaml", plain_runs_and_t4)
    copy.make_tables()
    lines = copy.read("results/mini/tables/T4.md").splitlines()
    head, *rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines if line[:1] == "|"]
    names = ["kNN ↑", "Centroid ↑", "Tree ↑", "SVM ↑", "Logistic ↑", "Forest ↑"]
    assert [cell for cell in head if cell in names] == names, "in their order"
    (untrained,) = [row for row in rows if row[0] == "Untrained encoder"]
    assert "±" in untrained[head.index("Centroid ↑")]
    assert any("Centroid" in line and "nearest centroid" in line for line in lines), "notes say what it is"
    data = copy.read("results/mini/tables/T4.csv").splitlines()[0].split(",")
    assert "left_centroid_mean" in data
    assert copy.changed() == {FILE}
    # Numbers of a classifier that nobody knows are no hole in the table: they would still count in every mean.
    (copy.root / FILE).unlink()
    assert "Unknown classifier 'centroid'" in copy.dgr("table mini T4", fails=True)


def plain_runs_and_t4(suite) -> None:
    del suite["embedding"], suite["regularizers"][1:]
    suite |= {"tables": ["T4"], "probed": ["none"]}
