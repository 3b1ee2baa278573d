# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The data plane: what the resources of the control plane do for real, as processes on loopback.

| file                | runs in       | does                                                                   |
|---------------------|---------------|------------------------------------------------------------------------|
| overlay.py          | control plane | joins the two: admin routes under /_cloud/data-plane, real endpoints   |
| control/            | control plane | ECS service scheduler, task and target states, what the parts shall do |
| __main__.py         | data plane    | the agent: tasks, databases, caches; starts the load balancer          |
| tasks.py            | data plane    | one process per ECS task                                               |
| databases.py        | data plane    | one PostgreSQL per RDS cluster                                         |
| caches.py           | data plane    | one Redis per ElastiCache replication group                            |
| load_balancer/      | its own       | the nodes of all Application Load Balancers                            |

Both sides speak JSON over HTTP: a part asks `GET /_cloud/data-plane/<part>?version=N&wait=S`, which answers as soon as
what it shall do differs from version N, and says what came of it with `POST /_cloud/data-plane/report`.
"""
