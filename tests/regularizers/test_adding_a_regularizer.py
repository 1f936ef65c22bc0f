"""Adding a regularizer takes one file: here the one that docs/own_parts.md shows."""

from adding_support import ProjectCopy, without_measurements
from docs_pages import blocks

FILE = "src/dgr/regularizers/spread.py"
REGULARIZER = blocks("own_parts.md")[FILE]


def test_it_is_tuned_trained_timed_drawn_and_in_the_tables_under_its_label(tmp_path, tiny_data) -> None:
    copy = ProjectCopy(tmp_path, tiny_data)
    copy.write(FILE, REGULARIZER)
    copy.edit_yaml("paper_configs/mini/T1.yaml", without_measurements)
    copy.edit_yaml(
        "paper_configs/mini/T1.yaml",
        lambda suite: suite["regularizers"].append(
            suite["regularizers"][1] | {"use": {"name": "spread", "strength": "tuned"}}
        ),
    )
    copy.edit_yaml(
        "paper_configs/mini/T6.yaml",
        lambda suite: suite["sweeps"].update(
            spread={"use": {"name": "spread", "strength": 0.1}, "vary": {"regularizer.strength": [0.5]}}
        ),
    )
    copy.edit_yaml(
        "paper_configs/mini/T5.yaml", lambda suite: suite.update(tables=["T5"], rounds=6, controls=["spread"])
    )
    copy.edit_yaml("paper_configs/mini/T6.yaml", lambda suite: suite.update(tables=["T6"]))
    copy.make_tables()
    copy.dgr("figure mini F5")
    main = copy.read("results/mini/tables/T1.md")
    cells = [[cell.strip() for cell in line.split("|")] for line in main.splitlines() if line[:1] == "|"]
    arms = ["–", "+ DGR", "+ norm at DGR's ‖z‖", "+ spread"]
    assert [row[1:3] for row in cells[2:]] == [["STL", "–"], *(["EW", arm] for arm in arms)]
    assert "+ spread (a penalty on the variance of z) are controls" in main
    assert "| + spread" in copy.read("results/mini/tables/T5.md")
    assert "γ = 0.5" in copy.read("results/mini/tables/T6.md")
    history = copy.read("runs/mini/train/mini-multimnist-conv-equal_weighting-spread/seed-0/history.csv").splitlines()
    row = dict(zip(history[0].split(","), history[1].split(","), strict=True))
    assert float(row["penalty"]) > 0
    assert float(row["gradient_ratio"]) > 0
    assert copy.changed() == {FILE}
    # A file that does not do what it says is told so before anything is trained.
    copy.write(FILE, REGULARIZER.replace("PENALTY = True", "PENALTY = False"))
    said = copy.dgr("tune mini-multimnist-conv-equal_weighting-spread", fails=True)
    assert "spread.py: PENALTY does not say what penalty() does, which gives one; change it." in said
