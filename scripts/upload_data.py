"""Put a file into the lake, which runs the pipeline: the same as `energy upload FILE`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scripts"))
from hand_over import hand_over

if __name__ == "__main__":
    hand_over("upload")
