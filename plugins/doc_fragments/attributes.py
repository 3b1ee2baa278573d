# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is true of every module of this collection, said once."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Predicts every step and writes nothing.
    support: full
  diff_mode:
    description: Shows each field that differs; secrets are masked.
    support: full
  idempotent:
    description: A second run finds nothing to do.
    support: full
"""
