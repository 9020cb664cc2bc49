"""The alert rules of deploy/prometheus are what promtool takes, and do what their tests say."""
import shutil
import subprocess
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parent.parent / "deploy" / "prometheus"


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is in the Debian package prometheus")
@pytest.mark.parametrize("words", [("check", "rules", "holdfast.rules.yml"), ("test", "rules", "slo_test.yml"), ("test", "rules", "endpoints_test.yml"), ("test", "rules", "capacity_test.yml")])
def test_promtool_agrees(words):
    done = subprocess.run(["promtool", *words], cwd=FOLDER, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
