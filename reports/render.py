"""A page as HTML or Markdown, and the files that belong to it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import jinja2
from markupsafe import Markup, escape

from harness import records
from reports.canvas import DARK_GRID, DARK_INK, DARK_MUTED, GRID, INK, MUTED
from reports.choices import page_data
from reports.markers import swatch
from reports.palette import Style, css_variables
from reports.section import Section
from reports.shown import ROWS_SHOWN, markdown

#: Lines for the reader above the answer; more are folded away below them.
WARNINGS_SHOWN = 2


@dataclass(frozen=True, kw_only=True)
class Page:
    """The whole report; the templates turn it into HTML and Markdown."""

    title: str
    """Its heading."""

    summary: Sequence[str]
    """Three sentences."""

    warnings: Sequence[str]
    """What a reader has to know first."""

    sections: Sequence[Section]
    """In order."""

    styles: Mapping[str, Style] = field(default_factory=dict)
    """How each competitor is drawn."""

    links: Sequence[tuple[str, str]] = ()
    """Other pages of a site: what they are called, and where they are."""


def files_of(page: Page, name: str) -> dict[str, bytes]:
    """Path below the folder of the page -> content: the page itself as `name`, its figures and its tables."""
    drawings = [drawing for section in page.sections for drawing in section.drawings]
    shown = [table for section in page.sections for table in section.tables]
    return {
        name: render("report.html.j2", page).encode(),
        **{f"figures/{drawing.name}.svg": drawing.svg.encode() for drawing in drawings},
        **{f"figures/{drawing.name}.png": drawing.png for drawing in drawings},
        **{f"tables/{table.name}.csv": table.csv for table in shown},
    }


def write_files(out: Path, contents: Mapping[str, bytes]) -> tuple[Path, ...]:
    """Write each file whole; InputError where `out` is a file."""
    if out.exists() and not out.is_dir():
        raise records.InputError(f"--out {out} is a file: give a folder")
    for name, content in contents.items():
        records.write_whole(out / name, content, durable=False)
    return tuple(out / name for name in contents)


def render(template: str, page: Page) -> str:
    is_html = template.startswith("report.html")
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("reports"),
        autoescape=is_html,  # noqa: S701  # Markdown is escaped by finalize
        finalize=None if is_html else markdown,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )

    environment.filters["unbroken"] = _unbroken
    environment.filters["anchor"] = _anchor
    light, dark = css_variables()
    light += f"--ink:{INK};--muted:{MUTED};--grid:{GRID};"
    dark += f"--ink:{DARK_INK};--muted:{DARK_MUTED};--grid:{DARK_GRID};"

    text = environment.get_template(template).render(
        page=page,
        ROWS_SHOWN=ROWS_SHOWN,
        WARNINGS_SHOWN=WARNINGS_SHOWN,
        data=Markup(page_data(page.sections, page.styles)) if is_html else "",  # noqa: S704  # escaped there
        light=Markup(light),  # noqa: S704  # our own constants
        dark=Markup(dark),  # noqa: S704  # our own constants
        code=lambda command: command if is_html else Markup(" ".join(command.split())),  # noqa: S704  # a code block
        inline=lambda drawing: Markup(drawing.inline),  # noqa: S704  # matplotlib escaped its texts
        swatch=lambda style: Markup(swatch(style)),  # noqa: S704  # numbers alone
    )
    return text.rstrip() + "\n"


def _anchor(term: str) -> str:
    """The identifier of a definition on the page."""
    return "term-" + re.sub(r"[^a-z]+", "-", term.lower())


def _unbroken(text: str) -> Markup:
    """Escaped, and no line ends within 1e-4."""
    return Markup(re.sub(r"\d\S*e-\d+", r'<span class="unbroken">\g<0></span>', str(escape(text))))  # noqa: S704  # escaped
