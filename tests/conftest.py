"""Property tests are judged by what they find, not by how long a busy machine takes; processes find this very repository."""

import os
from pathlib import Path

from hypothesis import HealthCheck, settings

settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")

os.environ["PYTHONPATH"] = str(Path(__file__).parent.parent)
