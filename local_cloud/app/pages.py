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


def missing(path: str) -> str:
    return _page("Not found", f"<p>There is no {escape(path)} here.</p>")


def _page(title: str, body: str) -> str:
    return (
        f"<!doctype html><html lang='en'><meta charset='utf-8'><title>{escape(title)}</title>"
        f"<body><h1>{escape(title)}</h1>{body}</body></html>\n"
    )
