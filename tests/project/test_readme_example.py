from readme_support import example, script


def test_the_readme_example_trains_a_plain_torch_loop() -> None:
    assert len([line for line in example().splitlines() if line.strip()]) <= 10
    exec(script(), {})
