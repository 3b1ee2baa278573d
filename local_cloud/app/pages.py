# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The application's HTML."""

from __future__ import annotations

from html import escape

from local_cloud.app.database import Book


def home(version: str, slot: str, views: int | None) -> str:
    counter = "" if views is None else f"<p>Page views: <b id='views'>{views}</b></p>"
    return _page(
        "1001 Stories",
        f"<p>Version {escape(version)}, slot {escape(slot)}.</p>{counter}<p><a href='/library'>Library</a></p>",
    )


def library(books: list[Book]) -> str:
    lines = [f"<li><a href='/books/{book.id}'>{escape(book.title)}</a>, {escape(book.author)}</li>" for book in books]
    return _page("Library", f"<ol>{''.join(lines)}</ol>")


def book(found: Book) -> str:
    return _page(found.title, f"<p lang='{escape(found.language)}'>By {escape(found.author)}</p>")


def dashboard(waiting: int) -> str:
    return _page("Volunteers", f"<p>Submissions that wait for a reader: <b id='waiting'>{waiting}</b></p>")


def pdf(found: Book) -> bytes:
    """The book as a PDF of one page, which holds its title."""
    title = found.title.encode("latin-1", "replace").replace(b"\\", b"").replace(b"(", b"").replace(b")", b"")
    text = b"BT /F1 24 Tf 72 700 Td (" + title + b") Tj ET"
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(text), text),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    body, places = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, start=1):
        places.append(len(body))
        body += b"%d 0 obj%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    count = len(objects) + 1
    head = b"xref\n0 %d\n0000000000 65535 f \n" % count
    return body + head + table + b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (count, len(body))


def missing(path: str) -> str:
    return _page("Not found", f"<p>There is no {escape(path)} here.</p>")


def _page(title: str, body: str) -> str:
    return (
        f"<!doctype html><html lang='en'><meta charset='utf-8'><title>{escape(title)}</title>"
        f"<body><h1>{escape(title)}</h1>{body}</body></html>\n"
    )
