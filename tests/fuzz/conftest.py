"""Limits of fuzzed calls. HYBRID_DEPTH_FUZZ is the number of examples, see `make fuzz`."""

import os
import resource
import signal

import pytest
from hypothesis import HealthCheck, Phase, settings

SECONDS, MEMORY = 60, 3 << 30  # of one test with few examples; bytes above those in use

EXAMPLES = int(os.environ.get('HYBRID_DEPTH_FUZZ', 25))
settings.register_profile(
    'fuzz',
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    # the same examples in every `make test`, others in every `make fuzz`
    derandomize='HYBRID_DEPTH_FUZZ' not in os.environ,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate, Phase.shrink],
)
settings.load_profile('fuzz')


@pytest.fixture(autouse=True)
def _limits():
    """A call that hangs or takes much memory fails instead of taking the machine with it."""

    def stop(number, frame):
        raise TimeoutError(f'no end after {SECONDS} s for {EXAMPLES} examples')

    with open('/proc/self/statm') as file:
        used = int(file.read().split()[0]) * resource.getpagesize()
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, before[1]))
    previous = signal.signal(signal.SIGALRM, stop)
    signal.alarm(SECONDS * max(1, EXAMPLES // 25))
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, previous)
    resource.setrlimit(resource.RLIMIT_AS, before)
