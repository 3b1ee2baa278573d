# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Makes of an uploaded PDF what the site needs: the book, its cover, and its text for the search.

content/books/<stem>/book.pdf and cover.webp are for readers; search/<stem>.json is for the application only:
``{"key": …, "pages": 12, "text": ["page 1", …]}``.

Environment: UPLOADS, TARGET and SEARCH (prefixes), COVER_WIDTH (pixels).
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Mapping
from typing import Any

import pypdfium2
from bucket import NotOurs, Upload, put, uploads

_MOST_PAGES = 2000


def handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """Called by S3. Returns ``{"made": [key, …]}``; raises NotOurs for what is no PDF that can be opened."""
    return {"made": [key for upload in uploads(event, os.environ["UPLOADS"]) for key in _worked_on(upload)]}


def _worked_on(upload: Upload) -> list[str]:
    try:
        document = pypdfium2.PdfDocument(upload.body)
    except pypdfium2.PdfiumError as error:
        raise NotOurs(f"{upload.key} is no PDF that we can open: {error}") from error
    try:
        if not 0 < len(document) <= _MOST_PAGES:
            raise NotOurs(f"{upload.key} has {len(document)} pages; there may be 1 to {_MOST_PAGES}")
        text = [_text(page) for page in document]
        cover = _cover(document[0], int(os.environ["COVER_WIDTH"]))
    finally:
        document.close()
    target = f"{os.environ['TARGET']}{upload.stem}"
    found = json.dumps({"key": f"{target}/book.pdf", "pages": len(text), "text": text}, ensure_ascii=False)
    return [
        put(upload, f"{target}/cover.webp", cover, "image/webp"),
        put(upload, f"{os.environ['SEARCH']}{upload.stem}.json", found.encode(), "application/json"),
        # Last, so that a book that can be read has a cover and is found.
        put(upload, f"{target}/book.pdf", upload.body, "application/pdf"),
    ]


def _text(page: pypdfium2.PdfPage) -> str:
    """The text of a page, one space between words; empty for a scan."""
    return " ".join(page.get_textpage().get_text_bounded().split())


def _cover(page: pypdfium2.PdfPage, width: int) -> bytes:
    image = page.render(scale=width / page.get_width()).to_pil()
    made = io.BytesIO()
    image.convert("RGB").save(made, "WEBP", quality=80, method=4)
    return made.getvalue()
