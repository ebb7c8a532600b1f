"""R23: a team after a fork, and in the processes and threads of pools."""

import json
import os

import pytest

from tests.team_task import script

pytestmark = pytest.mark.survives("R23")


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

# Another thread trains a model, or only waits for its turn, while this one forks.
FORK_WHILE_TRAINING = """
import json, os, sys, threading, time
import numpy as np
from tests.team_task import X, Y, model_of, trained

busy, other = model_of(), model_of(seed=1)
busy.fit(X, Y, epochs=1, verbose=0, threads=2)
expected = other.predict(X, threads=1)
before = busy.network.params.copy()
options = {"epochs": 10**6, "verbose": 0, "threads": 2}
thread = threading.Thread(target=busy.fit, args=(X, Y), kwargs=options, daemon=True)
thread.start()
while np.array_equal(before, busy.network.params):
    time.sleep(0.001)
child = os.fork()
if child == 0:
    def refused(call):
        try:
            call()
        except RuntimeError as error:
            return "forked while another thread used the model" in str(error)
        return False
    try:
        assert np.array_equal(other.predict(X, threads=2), expected)
        assert refused(lambda: busy.predict(X[:1]))
        assert refused(lambda: busy.fit(X, Y, verbose=0))
        assert refused(lambda: busy.evaluate(X, Y))
        assert refused(lambda: busy.save(sys.argv[1]))
        assert refused(busy.predictor)
        assert np.array_equal(trained(threads=2), trained(threads=1))
    except BaseException as error:
        print(repr(error), file=sys.stderr)
        os._exit(1)
    os._exit(0)
deadline = time.monotonic() + 60
while time.monotonic() < deadline:
    found, status = os.waitpid(child, os.WNOHANG)
    if found:
        print(os.waitstatus_to_exitcode(status))
        sys.stdout.flush()
        os._exit(0)
    time.sleep(0.01)
os.kill(child, 9)
sys.exit("the child hangs")
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


JOBLIB = """
import json, sys
from joblib import Parallel, delayed
from tests.team_task import trained

before = trained(threads=2)
after = Parallel(n_jobs=2, backend=sys.argv[1])(delayed(trained)(0, threads=2) for _ in range(3))
print(json.dumps(all(bool((params == before).all()) for params in after)))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.parametrize("threads", ["1", "3"])
def test_fork_after_training(threads):
    assert json.loads(script(FORK, threads)) == [True, 0]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_fork_while_another_thread_trains(tmp_path):
    """The child never hangs: other models work, and the one in use says why it does not."""
    assert json.loads(script(FORK_WHILE_TRAINING, str(tmp_path / "model"))) == 0


@pytest.mark.parametrize("way", ["fork", "spawn"])
def test_processes_of_a_pool(way):
    assert json.loads(script(POOL, way)) is True


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_joblib(backend):
    assert json.loads(script(JOBLIB, backend)) is True
