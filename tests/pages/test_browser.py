"""The audit page in a real browser: accessibility, small screens, and the way from a claim to a run record."""

# A record opens by script, after the address has changed: `wait_for` fails only if it never becomes visible.
import re
import shutil
from pathlib import Path

import pytest
from audit_support import RUN, SUITE, make_checkout, write_claims
from committed_support import committed

from dgr.pages import audit, index
from dgr.pages.audit import write_audit

sync_api = pytest.importorskip("playwright.sync_api")
axe = pytest.importorskip("axe_playwright_python.sync_playwright")

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium: install it, e.g. apt-get install chromium")
# Run as root in a container, without asking anything of the network.
FLAGS = [
    f"--{flag}"
    for flag in (
        "no-sandbox",
        "disable-gpu",
        "disable-quic",
        "no-first-run",
        "disable-background-networking",
        "disable-component-update",
        "disable-sync",
    )
]
TOP = committed()
COMMITTED = {name: TOP / f"results/{name}/audit.html" for name in ("mini", "cost", "studies")}
COMMITTED |= {name: TOP / f"results/{name}.html" for name in ("index", "report")}


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("checkout")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        write_claims(make_checkout(root))
        return root / write_audit(SUITE)


@pytest.fixture
def made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A suite's page or the index, from the committed files, as the code makes it now."""

    def make(name: str) -> Path:
        path = tmp_path / f"{name}.html"
        monkeypatch.chdir(TOP)
        for module in (audit, index):
            monkeypatch.setattr(module, "write_text", lambda _, html: path.write_text(html, encoding="utf-8"))
        write_audit(name) if name != "index" else index.write_index()
        return path

    return make


@pytest.fixture
def visit(browser):
    """Open a page; at the end, nothing may have been asked of the network or complained about."""
    contexts, noise = [], []

    def open_(path: Path, **options):
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: noise.append(message.text))
        page.on("pageerror", lambda error: noise.append(str(error)))
        page.on("request", lambda request: noise.append(request.url) if request.url.startswith("http") else None)
        page.goto(path.as_uri())
        return page

    yield open_
    for context in contexts:
        context.close()
    assert noise == []


def committed(*names: str):
    return [
        pytest.param(path, id=name, marks=pytest.mark.skipif(not path.exists(), reason=f"{path} has not been made"))
        for name, path in ((name, COMMITTED[name]) for name in names)
    ]


@pytest.mark.parametrize(
    ("path", "hash_of"),
    [
        pytest.param(None, "runs/toy/", id="toy"),
        *(
            pytest.param(*parameter.values, folder, id=parameter.id, marks=parameter.marks)
            for parameter, folder in zip(
                committed("mini", "cost", "studies"),
                ("runs/mini/", "runs/cost/", "results/studies/"),
                strict=True,
            )
        ),
    ],
)
def test_from_a_claim_to_a_record(visit, made, path, hash_of) -> None:
    page = visit(path or made)
    page.locator("#table-claims tbody th a").first.click()
    evidence = page.locator(".evidence:target")
    evidence.wait_for()
    link = evidence.locator("dd a").first
    target = link.get_attribute("href")
    link.click()
    record = page.locator(".record:target")
    assert f"#{record.get_attribute('id')}" == target
    record.locator("table").first.wait_for()
    assert f"md5 of {hash_of}" in record.inner_text()
    # And back, as every reader expects.
    page.go_back()
    evidence.wait_for()


def test_by_keyboard_alone(visit, made) -> None:
    page = visit(made)
    page.keyboard.press("Tab")
    assert page.locator(":focus").inner_text() == "Skip to the claims"
    assert page.locator(":focus").bounding_box()["x"] >= 0
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    assert page.locator(":focus").get_attribute("href") == "#record-C2a"
    page.locator("#table-T1 tbody th a").nth(2).focus()
    page.keyboard.press("Enter")
    page.locator(f"#{RUN} table").first.wait_for()


def test_records_open_without_script_too(visit, made) -> None:
    page = visit(made, java_script_enabled=False)
    page.locator("#table-T1 tbody th a").nth(2).click()
    page.locator(f"#{RUN} summary").click()
    page.locator(f"#{RUN} table").first.wait_for()


LOOKED_AT = """step => {
    const details = [...document.querySelectorAll('details')]
    details.forEach((each, i) => { each.open = i % step === 0 })
    const closed = details.filter(each => !each.open).flatMap(each => [...each.children].slice(1))
    const rows = [...document.querySelectorAll('tbody')].flatMap(body => [...body.rows].slice(20))
    if (step > 1) [...closed, ...rows].forEach(part => part.remove())
}"""
"""Hundreds of records of a committed page are alike, and so are a table's rows: each tenth record is looked at and the
first twenty rows, and what is not looked at is taken away. Of the toy all is looked at."""


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1280, "light")])
@pytest.mark.parametrize("path", [pytest.param(None, id="toy"), *committed("studies", "index", "report")])
def test_accessible(visit, made, path, width, scheme) -> None:
    step = 10 if path else 1
    page = visit(path or made, color_scheme=scheme, viewport={"width": width, "height": 844})
    page.evaluate(LOOKED_AT, step)
    found = axe.Axe().run(page, options={"resultTypes": ["violations"]})  # of what is right nothing need be told
    assert found.violations_count == 0, found.generate_report()
    # Wide tables scroll by themselves; the page does not.
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("path", committed("index"))
def test_from_the_index_to_a_table_without_script(visit, path) -> None:
    page = visit(path, java_script_enabled=False)
    page.keyboard.press("Tab")
    assert page.locator(":focus").inner_text() == "Skip to the suites"
    page.locator("#suite-mini a[href='mini/audit.html#table-T1']").click()
    page.locator("#table-T1:target table").wait_for()
    page.locator(".kicker a").click()
    page.locator("#suite-mini").wait_for()


def test_wide_tables_fit_a_screen(visit, made_anew) -> None:
    page = visit(made_anew("mini"), viewport={"width": 1400, "height": 900})
    tables = page.locator("#tables .scroll")
    assert tables.count() > 3
    wide = "all => all.filter(one => one.scrollWidth > one.clientWidth).map(one => one.ariaLabel)"
    assert tables.evaluate_all(wide) == []


def test_verdicts_of_all_claims_are_in_sight_on_a_phone(visit, made_anew) -> None:
    page = visit(made_anew("index"), viewport={"width": 390, "height": 844})
    badges = page.locator(".claims td:nth-child(3) .badge")
    assert badges.count() > 40
    assert badges.evaluate_all("all => Math.max(...all.map(one => one.getBoundingClientRect().right))") < 374
    rows = page.locator(".claims tbody th").evaluate_all(
        "all => all.filter(one => one.textContent.length < 5).map(one => {"
        " const words = document.createRange(); words.selectNodeContents(one); return words.getClientRects().length })"
    )
    assert set(rows) == {1}, "a short number stands on one line"


def test_an_address_leads_to_the_figure_above_the_table(visit, made_anew) -> None:
    page = visit(made_anew("index"))
    assert not page.locator("#overview img").is_visible()
    page.evaluate("location.hash = 'overview'")
    page.locator("#overview img").wait_for()
    assert page.locator("#overview").bounding_box()["y"] < page.locator("table.claims").bounding_box()["y"]


def test_print_leaves_records_folded(visit, made) -> None:
    page = visit(made)
    page.locator(f"#{RUN} summary").click()
    table = page.locator(f"#{RUN} table").first
    assert table.is_visible()
    page.emulate_media(media="print")
    assert not table.is_visible()
    assert not page.locator("nav").is_visible()
    assert page.locator("#table-T1 table").is_visible()


@pytest.mark.parametrize("path", committed("mini", "studies"))
def test_print_has_few_pages(visit, path, tmp_path) -> None:
    page = visit(path)
    pages = page.pdf(format="A4", path=tmp_path / "page.pdf").count(b"/Type /Page\n")
    assert 0 < pages <= 25


def test_a_column_sorts_and_a_long_table_filters(visit, made) -> None:
    page = visit(made)
    head = page.locator("#table-T1 thead th").nth(2)
    column = "#table-T1 tbody tr > :nth-child(3)"
    head.click()
    cells = page.locator(column).all_inner_texts()
    up = [float(re.sub("[^0-9.-]", "", cell.split()[0].replace("−", "-")) or "nan") for cell in cells]
    found = [value for value in up if value == value]
    assert found == sorted(found)
    assert head.get_attribute("aria-sort") == "ascending"
