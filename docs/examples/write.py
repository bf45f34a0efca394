"""Write the example reports anew: the real sample of `data/sample`, run with the default settings.

`make example` does this; a test compares what is committed with what a run gives.
"""

import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from energy_analytics.lake import LocalLake
from energy_analytics.pipeline import run
from energy_analytics.settings import Settings
from energy_analytics.uploads import identify

HERE = Path(__file__).parent
SAMPLE = HERE.parents[1] / "data" / "sample" / "household_power_hourly.csv.gz"


def reports() -> dict[str, bytes]:
    """Run the sample in a lake of its own, and return its reports by file name."""
    with TemporaryDirectory() as folder:
        key = f"raw/{SAMPLE.name}"
        path = Path(folder) / key
        path.parent.mkdir()
        path.write_bytes(SAMPLE.read_bytes())
        os.utime(path, (1_767_225_600, 1_767_225_600))
        lake = LocalLake(Path(folder))
        outputs = run(lake, identify(lake, lake.describe(key)), Settings())["outputs"]
        return {f"report_sample.{end}": lake.read(outputs[f"report_{name}"]) for name, end in _FORMS}


_FORMS = (("text", "txt"), ("html", "html"))

if __name__ == "__main__":
    for name, content in reports().items():
        (HERE / name).write_bytes(content)
        sys.stdout.write(f"docs/examples/{name}\n")
