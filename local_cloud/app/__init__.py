# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The reference application: what a task of the platform runs in the embedded cloud.

`python -m local_cloud.app serve` answers HTTP, `… init` brings the database's schema up to date.
"""
