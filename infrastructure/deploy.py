"""Make the deployment on AWS, or bring it up to date: the same as `energy deploy`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scripts"))
from hand_over import hand_over

if __name__ == "__main__":
    hand_over("deploy")
