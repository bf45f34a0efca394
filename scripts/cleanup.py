"""Remove everything from the lake, or the whole deployment, after asking: the same as `energy clean`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scripts"))
from hand_over import hand_over

if __name__ == "__main__":
    hand_over("clean")
