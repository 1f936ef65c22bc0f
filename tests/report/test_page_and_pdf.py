"""Page and PDF of a report: nothing is lost, no word means anything to HTML or Typst, the bytes are the same."""

import re
from pathlib import Path

import pytest
from audit_page import XHTML, parsed, text
from committed_support import ROOT
from PIL import Image, PngImagePlugin

from dgr.report.build import PREAMBLE, report_pdf
from dgr.report.document import parse_report
from dgr.report.typeset import typst_source
from dgr.report.web import report_page

HOSTILE = r'#import "x" \ $a$ @b <c> "d" _e_ `f` //g ~ && <script>alert(1)</script> ‖z‖² λ ½'
MARKDOWN = f"""# A report

## First

Text with **bold**, *stress*, `code("x")`, [an address](https://doi.org/10) and [a section](#second).

{HOSTILE.replace("_", chr(92) + "_").replace("`", chr(92) + "`")}

1. One
2. Two

| Name | Verdict | n |
|:--|:--|--:|
| a | supported | 20 |
| b | assay failed | 3 |

```sh
first line
second line
```

## Second

![A caption: left \\> right]({{}})
"""


@pytest.fixture
def markdown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "figures").mkdir()
    image, told = Image.new("RGB", (8, 4)), PngImagePlugin.PngInfo()
    image.save("figures/F1.png", pnginfo=told)
    image.save("figures/F1.pdf")
    return MARKDOWN.replace("{}", "figures/F1.png")


def test_the_page_has_all_of_it_and_runs_nothing(markdown: str) -> None:
    html = report_page(parse_report(markdown))
    tree = parsed(html)
    assert not list(tree.iter(f"{XHTML}script"))
    shown = text(tree)
    for part in ("1 First", "2 Second", "import", "<script>alert(1)</script>", "Figure 1. A caption: left > right"):
        assert part in shown, part
    assert [image.get("src").partition(",")[0] for image in tree.iter(f"{XHTML}img")] == ["data:image/png;base64"]
    assert "style=" not in html
    badges = [span.get("class") for span in tree.iter(f"{XHTML}span") if "badge" in (span.get("class") or "")]
    assert badges == ["badge supported", "badge assay-failed"]
    assert [cell.get("class") for cell in tree.iter(f"{XHTML}td")] == [None, None, "n"] * 2


def test_the_pdf_is_the_same_each_time_and_has_its_links(markdown: str) -> None:
    pytest.importorskip("typst")
    document = parse_report(markdown)
    pdf = report_pdf(document)
    assert pdf.startswith(b"%PDF")
    assert pdf == report_pdf(document)
    assert not re.search(rb"/CreationDate|/ModDate", pdf)
    assert b"https://doi.org/10" in pdf


def test_no_word_means_anything_to_typst(markdown: str) -> None:
    source = typst_source(parse_report(markdown), "")
    assert r'#"#import \"x\" \\ $a$ @b <c> \"d\" _e_ `f`' in source
    assert r'#raw(block: true, "first line\nsecond line")' in source
    assert '#section(1, "2", "Second") <second>' in source
    assert "align: (left, left, right,)" in source


def test_markdown_that_has_no_form_is_refused() -> None:
    with pytest.raises(NotImplementedError, match="kind 'image'"):
        typst_source(parse_report("# T\n\nA ![picture](x.png) in a line.\n"), "")


def test_the_whole_report_has_at_most_twelve_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    typst = pytest.importorskip("typst")
    from dgr.report.text import filled_text

    monkeypatch.chdir(ROOT)
    source = typst_source(parse_report(filled_text()), PREAMBLE.read_text(encoding="utf-8"))
    pages = typst.compile(source.encode(), root=str(ROOT), ignore_system_fonts=True, format="svg")
    assert 5 <= len(pages) <= 12
