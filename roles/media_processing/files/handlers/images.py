# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Makes WebP images of several widths of an uploaded image: content/images/<stem>/<width>.webp.

Environment: UPLOADS and TARGET (prefixes), WIDTHS (pixels, comma separated), QUALITY (1 to 100).
"""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from typing import Any

from bucket import NotOurs, Upload, put, uploads
from PIL import Image, ImageOps, UnidentifiedImageError

# A small file can unpack to a picture that fills the memory; Pillow raises at twice this many pixels.
Image.MAX_IMAGE_PIXELS = 40_000_000
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP")


def handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """Called by S3. Returns ``{"made": [key, …]}``; raises NotOurs for what is no image."""
    return {"made": [key for upload in uploads(event, os.environ["UPLOADS"]) for key in _resized(upload)]}


def _resized(upload: Upload) -> list[str]:
    image = _opened(upload)
    widths = sorted(int(width) for width in os.environ["WIDTHS"].split(","))
    # Nothing is enlarged: a small image is kept in its own width, under the name of the least one.
    fitting = [width for width in widths if width <= image.width] or widths[:1]
    return [_put(upload, image, width) for width in fitting]


def _opened(upload: Upload) -> Image.Image:
    try:
        image = Image.open(io.BytesIO(upload.body), formats=_FORMATS)
        image.load()
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError) as error:
        raise NotOurs(f"{upload.key} is no image that we can read: {error}") from error
    # Cameras turn a picture by a note in it. The note goes with all others, the place where it was taken among them.
    upright = ImageOps.exif_transpose(image)
    return upright.convert("RGBA" if "transparency" in image.info or "A" in image.getbands() else "RGB")


def _put(upload: Upload, image: Image.Image, width: int) -> str:
    height = max(1, round(image.height * width / image.width))
    small = image if image.width <= width else image.resize((width, height), Image.Resampling.LANCZOS)
    made = io.BytesIO()
    small.save(made, "WEBP", quality=int(os.environ["QUALITY"]), method=4)
    return put(upload, f"{os.environ['TARGET']}{upload.stem}/{width}.webp", made.getvalue(), "image/webp")
