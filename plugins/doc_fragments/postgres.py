# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The ``connection`` option of the PostgreSQL modules, said once."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  connection:
    description:
      - Where the database is and who connects. Give O(connection.password), O(connection.secret_arn) or
        O(connection.iam); AWS is asked only for the last two and for O(connection.cluster_identifier).
    type: dict
    required: true
    suboptions:
      host:
        description: Name or address of the writer, or the folder of a Unix socket.
        type: str
      port:
        description: Port; 5432 when neither this nor O(connection.cluster_identifier) is given.
        type: int
      database:
        description: Name of the database.
        type: str
        required: true
      username:
        description: Role to connect as; a secret brings its own.
        type: str
      password:
        description: Password of the role.
        type: str
      secret_arn:
        description:
          - ARN of a secret with the keys C(username) and C(password), as RDS manages it.
          - It is read again when the server refuses the password, since RDS rotates it.
        type: str
      iam:
        description: Whether to connect with an IAM token, minted for every connection.
        type: bool
        default: false
      cluster_identifier:
        description:
          - RDS or Aurora cluster whose writer endpoint and port to use when they are not given.
          - Without O(connection.username), the secret that RDS manages for the cluster's master user is used.
        type: str
      sslmode:
        description: How to check the server, in libpq's words. Anything but V(verify-full) trusts the network.
        type: str
        choices: [disable, require, verify-ca, verify-full]
        default: verify-full
      sslrootcert:
        description: File with the certificates of the authorities to trust, such as the RDS bundle.
        type: path
      connect_timeout:
        description: Seconds for one attempt to connect.
        type: int
        default: 10
requirements:
  - psycopg >= 3.1
"""
