"""A team after a fork, and in the processes of a pool."""

import json
import os

import pytest

from tests.team_task import script

FORK = """
import json, os, sys
import numpy as np
from tests.team_task import trained

threads = int(sys.argv[1])
before = trained(threads=threads)
child = os.fork()
same = bool((trained(threads=threads) == before).all())
if child == 0:
    os._exit(0 if same else 1)
_, status = os.waitpid(child, 0)
print(json.dumps([same, os.waitstatus_to_exitcode(status)]))
"""

POOL = """
import json, multiprocessing, sys
import numpy as np
from tests.team_task import trained

before = trained(threads=2)
with multiprocessing.get_context(sys.argv[1]).Pool(2) as pool:
    after = pool.map(trained, [0, 0, 0])
print(json.dumps(all((params == before).all() for params in after)))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.parametrize("threads", ["1", "3"])
def test_fork_after_training(threads):
    assert json.loads(script(FORK, threads)) == [True, 0]


@pytest.mark.parametrize("way", ["fork", "spawn"])
def test_processes_of_a_pool(way):
    assert json.loads(script(POOL, way)) is True
