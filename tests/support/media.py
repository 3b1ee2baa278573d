"""Uploads as users make them: a photograph of a telephone, a book."""

from __future__ import annotations

import io

from PIL import Image, ImageDraw


def photograph(width: int, height: int, turned: int = 1) -> bytes:
    """A JPEG with a place in its notes, as a camera makes it. turned: Exif's orientation."""
    image = Image.new("RGB", (width, height), "teal")
    ImageDraw.Draw(image).rectangle((0, 0, width // 2, height // 2), fill="orange")
    notes = Image.Exif()
    notes[0x0112] = turned
    notes[0x010F] = "a camera that tells"
    made = io.BytesIO()
    image.save(made, "JPEG", exif=notes)
    return made.getvalue()


def book(*pages: str) -> bytes:
    """A PDF with a line of text on each page."""
    objects = ["<< /Type /Catalog /Pages 2 0 R >>"]
    kids = " ".join(f"{4 + 2 * place} 0 R" for place in range(len(pages)))
    objects.append(f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>")
    objects.append("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>")
    for place, text in enumerate(pages):
        resources = "/Resources << /Font << /F1 3 0 R >> >>"
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 400] {resources} /Contents {5 + 2 * place} 0 R >>"
        )
        stream = f"BT /F1 18 Tf 20 300 Td ({text}) Tj ET"
        objects.append(f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream")
    body, places = "%PDF-1.4\n", []
    for number, text in enumerate(objects, start=1):
        places.append(len(body))
        body += f"{number} 0 obj\n{text}\nendobj\n"
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    size = len(objects) + 1
    body += f"xref\n0 {size}\n0000000000 65535 f \n{table}trailer\n<< /Size {size} /Root 1 0 R >>\n"
    return f"{body}startxref\n{body.index('xref')}\n%%EOF\n".encode()
