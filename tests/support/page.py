"""A page of a report as a test reads it: its text, tags, identifiers and links."""

from __future__ import annotations

from html.parser import HTMLParser

import reports

EMBEDDED = {"link", "img", "iframe", "object", "embed", "base", "image"}


class Reader(HTMLParser):
    """Text, tags and identifiers of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.words: list[str] = []
        self.attributes: set[str] = set()
        self.in_script = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}
        self.in_script = tag == "script"
        self.ids += [value or "" for name, value in attrs if name == "id"]
        self.links += [value or "" for name, value in attrs if name in ("href", "xlink:href", "src")]

    def handle_endtag(self, tag: str) -> None:
        self.in_script &= tag != "script"

    def handle_data(self, data: str) -> None:
        if not self.in_script:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join("".join(self.words).split())


def read_page(built: reports.Built) -> Reader:
    reader = Reader()
    reader.feed(built.page.read_text())
    return reader
