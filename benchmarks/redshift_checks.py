"""What the checks that need no Redshift catch of what it refuses, and refuse of what it takes.

The corpus (tests/redshift_checks/) was written before the lint, and is judged by the AWS documentation, not
by a Redshift. Every statement goes to sqlfluff's parser for Redshift and to the lint, both of which read
compiled models in `make lint`, and to the stand-in, which runs it. What the stand-in has no translation for
is an error there too, but says nothing of Redshift, and counts neither as caught nor as refused. The stand-in
asks the lint first, so its share contains the lint's.

Statements that were judged wrongly are listed on stderr.

- planted_errors_caught: share of the illegal statements that any of the checks refuses. Goal: at least 0.9.
- legal_refused: legal statements that any of the checks refuses. Goal: 0.
- planted_errors_caught_by_sqlfluff, _by_lint, _by_stand_in: the share that each refuses.
- planted_errors_caught_by_stand_in_alone: the share that is found by executing it, and by nothing before.
- legal_not_rehearsed: legal statements that the stand-in has no translation for.
"""

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # run as a file, the house is not on the path

from benchmarks.support.figures import figure, report, sizes
from tests.redshift_checks.corpus import Statement, Verdict, lint_verdict, load, rehearsal, sqlfluff_verdict
from tests.redshift_standin.server import RedshiftStandIn

CAUGHT_GOAL, REFUSED_GOAL = 0.9, 0


def main() -> None:
    """Judge the corpus and print the figures."""
    size = sizes(__doc__, every=(1, 10))
    corpus = load()[:: size.every]
    verdicts = judge(corpus)
    illegal = [verdicts[statement] for statement in corpus if not statement.is_legal]
    legal = [verdicts[statement] for statement in corpus if statement.is_legal]

    caught = sum(Verdict.REFUSED in by_check.values() for by_check in illegal)
    report(figure("planted_errors_caught", caught / len(illegal), "of all", at_least=CAUGHT_GOAL))
    refused = sum(Verdict.REFUSED in by_check.values() for by_check in legal)
    report(figure("legal_refused", float(refused), "statements", at_most=REFUSED_GOAL))
    for check in ("sqlfluff", "lint", "stand_in"):
        caught = sum(by_check[check] is Verdict.REFUSED for by_check in illegal)
        report(figure(f"planted_errors_caught_by_{check}", caught / len(illegal), "of all"))
    alone = sum(
        [check for check, verdict in by_check.items() if verdict is Verdict.REFUSED] == ["stand_in"]
        for by_check in illegal
    )
    report(figure("planted_errors_caught_by_stand_in_alone", alone / len(illegal), "of all"))
    undecided = sum(by_check["stand_in"] is Verdict.UNDECIDED for by_check in legal)
    report(figure("legal_not_rehearsed", float(undecided), "statements"))

    for statement in corpus:
        is_refused = Verdict.REFUSED in verdicts[statement].values()
        if is_refused == statement.is_legal:
            said = "refused" if is_refused else "missed"
            print(f"{said}: {' '.join(statement.sql.split())} ({statement.why})", file=sys.stderr)


def judge(corpus: list[Statement]) -> dict[Statement, dict[str, Verdict]]:
    """What each check says of each statement, the checks in the order in which they run."""
    # Not in a private folder: run by root, PostgreSQL is another user's.
    with (
        tempfile.TemporaryDirectory(prefix="redshift-checks-") as folder,
        RedshiftStandIn(Path(folder)) as stand_in,
        rehearsal(stand_in) as rehearsed,
    ):
        return {
            statement: {
                "sqlfluff": sqlfluff_verdict(statement.sql),
                "lint": lint_verdict(statement.sql),
                "stand_in": rehearsed.verdict(statement.sql),
            }
            for statement in corpus
        }


if __name__ == "__main__":
    main()
