# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The ``wait`` option of modules whose resources take AWS minutes, said once."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  wait:
    description:
      - Whether to wait until AWS has made what takes it minutes.
      - With V(false) the module begins that, leaves what depends on it and tells both as RV(unfinished); a later call
        that waits finishes. So several slow things are made at the same time.
    type: bool
    default: true
"""
