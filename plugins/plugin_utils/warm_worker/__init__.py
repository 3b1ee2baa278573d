# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Runs modules on the controller's own machine without starting Python and loading boto3 for each of them.

    ansible-playbook ──forks──► task worker ──request──► warm worker ──forks──► the module
                                (action.py,   (wire.py)   (server.py,            (child.py)
                                 eligible.py,              preload.py,
                                 client.py)                shipped.py)

The left half runs inside Ansible; the right half is a process of its own which never imports Ansible's
controller. It has loaded what modules load, runs no module itself, and is forked once for each task.
docs/speed.md tells what it gains and when a task takes Ansible's own path instead.
"""
