"""Small things: the sample with Prophet on both sides, and how long `--help` takes."""

from functools import partial
from typing import Final

from benchmarks.speed.bench import Bench
from benchmarks.speed.figures import Claim, Findings, at_most, programs_table, seconds
from benchmarks.speed.measurement import ROOT, Usage, measure, median, take_turns
from benchmarks.speed.totals import check_same, totals_of_lake, totals_of_rival

SAMPLE: Final = ROOT / "data" / "sample" / "household_power_hourly.csv.gz"
MAX_SAMPLE_RATIO: Final = 1.5
MAX_HELP_SECONDS: Final = 0.3
RUNS: Final = 5


def sample_case(bench: Bench) -> Findings:
    """Measure all outputs of the sample, forecast by Prophet on both sides."""
    with bench.scratch() as folder:
        rival = folder / "pandas"

        def ours(model: str) -> Usage:
            with bench.scratch() as lake:
                usage = bench.run(SAMPLE, lake / "lake", "--model", model)
                check_same(totals_of_lake(lake / "lake"), totals_of_rival(rival))
            return usage

        script, with_prophet, standard = "pandas and Prophet", "energy run --model prophet", "energy run"
        taken = take_turns(
            {
                script: partial(bench.pandas, rival, SAMPLE, options=["--forecast"]),
                with_prophet: partial(ours, "prophet"),
                standard: partial(ours, "auto"),
            },
            runs=RUNS if bench.size.runs > 1 else 1,
        )
    return Findings(
        (
            at_most(
                "sample, Prophet, all outputs, against pandas",
                taken[with_prophet],
                taken[script],
                most=MAX_SAMPLE_RATIO,
            ),
        ),
        (programs_table("The sample: four sub-meters, four years, hourly", taken, yardstick=script),),
        {"programs": taken},
    )


def help_case(bench: Bench) -> Findings:
    """Measure how long `--help` takes."""
    taken = median([measure([str(bench.energy), "--help"]) for _ in range(RUNS)])
    measured = f"{seconds(taken.wall_seconds)} (processor {seconds(taken.cpu_seconds)})"
    met = taken.wall_seconds < MAX_HELP_SECONDS
    return Findings((Claim("energy --help", measured, f"under {MAX_HELP_SECONDS} s", met),), (), {"help": taken})
